import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxDifference, runOverRows } from '../../../tests/graph/run-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { isPoolingName, type PoolingName, poolings } from './pooling.ts';

type Rows = readonly (readonly number[])[];

/** What each name means, on the token vectors of one sequence. */
const reference: Readonly<Record<PoolingName, (rows: Rows) => readonly number[]>> = {
  mean: (rows) => rows[0]!.map((_, column) => rows.reduce((sum, row) => sum + row[column]!, 0) / rows.length),
  cls: (rows) => rows[0]!,
  lasttoken: (rows) => rows.at(-1)!,
};
const names = Object.keys(poolings).filter(isPoolingName);
const table: Rows = Array.from({ length: 24 }, (_, row) => [Math.sin(row), row - 12, 1 / (row + 1), 10 * row]);

test('every pooling has a reference here', () => {
  expect(Object.keys(poolings).toSorted()).toEqual(Object.keys(reference).toSorted());
  expect(['max', 'toString', ''].filter(isPoolingName)).toEqual([]);
});

const batches: readonly (readonly (readonly number[])[])[] = [
  [[5]],
  [[1, 2, 3]],
  [
    [1, 2, 3],
    [7, 8, 9],
    [4, 4, 4],
  ],
  [[1, 2, 3, 4, 5, 6], [20], [9, 3]],
  [[23], [0], [11]],
];

test.each(names)('%s is that of the real tokens, for ragged and for equal lengths', async (name) => {
  const someIds = fc.array(fc.nat(23), { minLength: 1, maxLength: 9 });
  const random = fc.sample(fc.array(someIds, { minLength: 1, maxLength: 6 }), { numRuns: 10, seed: 7 });
  for (const ids of [...batches, ...random]) {
    const { shape, values } = await runOverRows(tempFolder(), table, ids, poolings[name]);
    expect(shape).toEqual([ids.length, 4]);
    const expected = ids.flatMap((sequence) => reference[name](sequence.map((id) => table[id]!)));
    expect(maxDifference(values, expected), JSON.stringify(ids)).toBeLessThanOrEqual(5e-5); // of values up to 230 in float32
  }
});

test.each(names)('a NaN or an infinity in one sequence does not reach another under %s', async (name) => {
  for (const poison of [NaN, Infinity, -Infinity]) {
    const rows = [
      [1, 2],
      [3, 4],
      [poison, poison],
    ];
    for (const ids of [
      [
        [2, 2],
        [0, 1],
      ],
      [[2], [0, 1, 1], [2, 2]],
      [[0, 1, 0], [2], [1]],
    ]) {
      const { values } = await runOverRows(tempFolder(), rows, ids, poolings[name]);
      for (const [row, sequence] of ids.entries()) {
        const got = values.slice(2 * row, 2 * row + 2);
        expect(got.every(Number.isFinite), `${name} ${JSON.stringify(ids)} row ${row}`).toBe(!sequence.includes(2));
        if (!sequence.includes(2))
          expect(maxDifference(got, reference[name](sequence.map((id) => rows[id]!)))).toBeLessThanOrEqual(1e-6);
      }
    }
  }
});
