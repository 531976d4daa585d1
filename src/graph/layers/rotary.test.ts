import { expect, test } from 'vitest';
import { randomRows } from '../../../tests/graph/reference-attention.ts';
import { maxDifference, runOverRows } from '../../../tests/graph/run-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { rotary, rotaryTables } from './rotary.ts';

const heads = 3;
const size = 8;
const inverseFrequencies = [1, 0.1, 0.01, 0.0001];
const table = randomRows(20, heads * size);

/** One row at one position, in plain loops. */
function turn(row: readonly number[], position: number, attentionScale: number): readonly number[] {
  return row.map((x, column) => {
    const inHead = column % size;
    const half = size / 2;
    const angle = position * inverseFrequencies[inHead % half]!;
    const other = inHead < half ? -row[column + half]! : row[column - half]!;
    return attentionScale * (x * Math.cos(angle) + other * Math.sin(angle));
  });
}

test('each half-split pair of a head turns by its position, in every sequence from 0', async () => {
  for (const attentionScale of [1, 1.25]) {
    for (const ids of [
      [[4]],
      [
        [1, 2, 3],
        [5, 6, 7],
      ],
      [[1, 2, 3, 4, 5], [19]],
      [Array.from({ length: 3000 }, (_, i) => i % 20)],
    ]) {
      const { values } = await runOverRows(tempFolder(), table, ids, (g, x, inputs) =>
        rotary(g, 'q', x, {
          heads,
          size,
          tables: rotaryTables(g, 'all', { inverseFrequencies, attentionScale }, inputs),
        }),
      );
      const expected = ids.flatMap((sequence) => sequence.flatMap((id, at) => turn(table[id]!, at, attentionScale)));
      expect(maxDifference(values, expected)).toBeLessThanOrEqual(
        attentionScale * 1e-3 * (ids[0]!.length > 100 ? 1 : 1e-3),
      );
    }
  }
});
