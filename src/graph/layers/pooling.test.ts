import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { GraphBuilder, Value } from '../builder.ts';
import { maxDifference, runOverRows } from '../../../tests/graph/run-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { isPoolingMode, pool, type PoolingMode, poolings } from './pooling.ts';

type Rows = readonly (readonly number[])[];

/** What each name means, on the token vectors of one sequence of which the first `skip` take no part. */
const reference: Readonly<Record<PoolingMode, (rows: Rows, skip?: number) => readonly number[]>> = {
  cls: (rows, skip = 0) => rows[skip]!,
  max: (rows, skip = 0) => columns(rows.slice(skip), (values) => Math.max(...values)),
  mean: (rows, skip = 0) => columns(rows.slice(skip), (values) => sum(values) / values.length),
  mean_sqrt_len_tokens: (rows, skip = 0) =>
    columns(rows.slice(skip), (values) => sum(values) / Math.sqrt(values.length)),
  weightedmean: (rows, skip = 0) =>
    columns(rows.slice(skip), (values) => {
      const weights = values.map((_, place) => skip + place + 1);
      return sum(values.map((value, place) => value * weights[place]!)) / sum(weights);
    }),
  lasttoken: (rows) => rows.at(-1)!,
};
const names = Object.keys(poolings).filter(isPoolingMode);

function columns(rows: Rows, reduce: (values: readonly number[]) => number): readonly number[] {
  return rows[0]!.map((_, column) => reduce(rows.map((row) => row[column]!)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

const table: Rows = Array.from({ length: 24 }, (_, row) => [Math.sin(row), row - 12, 1 / (row + 1), 10 * row]);

test('every pooling has a reference here', () => {
  expect(Object.keys(poolings).toSorted()).toEqual(Object.keys(reference).toSorted());
  expect(['sum', 'toString', ''].filter(isPoolingMode)).toEqual([]);
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
    const { shape, values } = await runOverRows(tempFolder(), table, ids, (g, hidden, inputs) =>
      pool(g, [name], hidden, inputs),
    );
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
      const { values } = await runOverRows(tempFolder(), rows, ids, (g, hidden, inputs) =>
        pool(g, [name], hidden, inputs),
      );
      for (const [row, sequence] of ids.entries()) {
        const got = values.slice(2 * row, 2 * row + 2);
        expect(got.every(Number.isFinite), `${name} ${JSON.stringify(ids)} row ${row}`).toBe(!sequence.includes(2));
        if (!sequence.includes(2))
          expect(maxDifference(got, reference[name](sequence.map((id) => rows[id]!)))).toBeLessThanOrEqual(1e-6);
      }
    }
  }
});

test.each(names)('%s leaves out the tokens to skip, however many each sequence has', async (name) => {
  const ids = [[1, 2, 3, 4, 5, 6], [20], [9, 3], [7, 8, 9, 10, 11, 12]];
  const skips = [2, 0, 1, 5];
  const { values } = await runOverRows(tempFolder(), table, ids, (g, hidden, inputs) =>
    pool(g, [name], hidden, { ...inputs, skips: constant(g, skips) }),
  );
  const expected = ids.flatMap((sequence, row) =>
    reference[name](
      sequence.map((id) => table[id]!),
      skips[row],
    ),
  );
  expect(maxDifference(values, expected)).toBeLessThanOrEqual(5e-5);
});

test('several modes give their vectors side by side in the order asked for', async () => {
  const modes = [...names.toReversed(), 'mean', 'mean'] as const;
  for (const ids of batches) {
    const { shape, values } = await runOverRows(tempFolder(), table, ids, (g, hidden, inputs) =>
      pool(g, modes, hidden, inputs),
    );
    expect(shape).toEqual([ids.length, 4 * modes.length]);
    const expected = ids.flatMap((sequence) =>
      modes.flatMap((mode) => reference[mode](sequence.map((id) => table[id]!))),
    );
    expect(maxDifference(values, expected)).toBeLessThanOrEqual(5e-5);
  }
});

/** A vector of int32 made of one number after another. */
function constant(g: GraphBuilder, values: readonly number[]): Value {
  return g.cast(g.int64(...values), 'int32');
}
