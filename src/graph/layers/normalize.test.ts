import { expect, test } from 'vitest';
import { runOverRows } from '../../../tests/graph/run-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { normalize } from './normalize.ts';

/** The rows of a table, normalised. */
async function normalized(...rows: readonly (readonly number[])[]): Promise<readonly (readonly number[])[]> {
  const { values } = await runOverRows(
    tempFolder(),
    rows,
    rows.map((_, row) => [row]),
    normalize,
  );
  const size = rows[0]!.length;
  return rows.map((_, row) => values.slice(row * size, (row + 1) * size));
}

test('a vector keeps its direction and gets length 1', async () => {
  const [a, b] = await normalized([3, -4], [1e-6, 0]);
  expect(a![0]).toBeCloseTo(0.6, 6);
  expect(a![1]).toBeCloseTo(-0.8, 6);
  expect(b).toEqual([1, 0]);
});

test('a zero vector stays zero, and one shorter than 1e-12 is not blown up', async () => {
  const [zero, short] = await normalized([0, -0], [1e-14, 0]);
  expect(zero!.map((value) => value + 0)).toEqual([0, 0]);
  expect(short![0]).toBeCloseTo(0.01, 6);
});

test('a NaN makes its own vector NaN and no other', async () => {
  const [good, bad] = await normalized([2, 0], [NaN, 1]);
  expect(good).toEqual([1, 0]);
  expect(bad!.some(Number.isNaN)).toBe(true);
});
