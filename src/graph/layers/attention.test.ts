import { expect, test } from 'vitest';
import { maxDifference, runOverRows } from '../../../tests/graph/run-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { attention } from './attention.ts';

type Rows = readonly (readonly number[])[];
const table: Rows = Array.from({ length: 16 }, (_, row) =>
  Array.from({ length: 8 }, (_, column) => Math.sin(row * 3 + column * column)),
);

/** `softmax(Q K^T / sqrt(d)) V` in plain loops, with Q = x, K = 2x, V = -x. */
function reference(x: Rows, heads: number): readonly number[] {
  const size = x[0]!.length / heads;
  const out = x.map((row) => row.map(() => 0));
  for (let head = 0; head < heads; head++) {
    const own = x.map((row) => row.slice(head * size, (head + 1) * size));
    for (const [i, query] of own.entries()) {
      const scores = own.map(
        (key) => query.reduce((sum, value, column) => sum + value * 2 * key[column]!, 0) / Math.sqrt(size),
      );
      const weights = scores.map(Math.exp);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const [j, weight] of weights.entries()) {
        for (let column = 0; column < size; column++)
          out[i]![head * size + column]! -= (weight / total) * own[j]![column]!;
      }
    }
  }
  return out.flat();
}

async function attend(ids: readonly (readonly number[])[], heads: number, rows = table) {
  return runOverRows(tempFolder(), rows, ids, (g, x, inputs) =>
    attention(g, 'self', [x, g.op('Mul', [x, g.scalar(2)]), g.op('Neg', [x])], { heads, size: 8 / heads }, inputs),
  );
}

test.each([
  ['one sequence', [[3, 1, 4, 1, 5]]],
  [
    'equal lengths',
    [
      [3, 1, 4],
      [1, 5, 9],
      [2, 6, 5],
    ],
  ],
  ['ragged lengths', [[3, 1, 4, 1, 5, 9, 2], [6], [5, 3]]],
  ['single tokens', [[1], [2], [3]]],
])('each sequence attends to itself alone: %s', async (_name, ids) => {
  for (const heads of [1, 2, 4]) {
    const { shape, values } = await attend(ids, heads);
    expect(shape).toEqual([ids.flat().length, 8]);
    const expected = ids.flatMap((sequence) =>
      reference(
        sequence.map((id) => table[id]!),
        heads,
      ),
    );
    expect(maxDifference(values, expected)).toBeLessThanOrEqual(1e-5);
  }
});

test('a NaN in one sequence does not reach another', async () => {
  const rows = [...table, Array.from({ length: 8 }, () => NaN)];
  const bad = 16;
  for (const ids of [
    [
      [1, bad],
      [2, 3],
    ],
    [[1, bad, 4, 5], [2, 3], [6]],
    [[2, 3], [bad, 1, 1], [6]],
  ]) {
    const { values } = await attend(ids, 2, rows);
    let start = 0;
    for (const sequence of ids) {
      const got = values.slice(start, (start += 8 * sequence.length));
      expect(got.some(Number.isNaN), JSON.stringify(ids)).toBe(sequence.includes(bad));
      if (!sequence.includes(bad))
        expect(
          maxDifference(
            got,
            reference(
              sequence.map((id) => rows[id]!),
              2,
            ),
          ),
        ).toBeLessThanOrEqual(1e-5);
    }
  }
});
