import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noWeights, runOverRows, toBatch } from '../../tests/graph/run-graph.ts';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { toFeeds } from '../engine/feeds.ts';
import { GraphBuilder } from './builder.ts';
import { declarePackedInputs, declarePoolingSkips } from './packed-inputs.ts';

const someLengths = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 });
const sequencesOf = (lengths: readonly number[]) =>
  lengths.map((length, row) => Array.from({ length }, (_, column) => row * 100 + column));

test('the engine feeds exactly the inputs that are declared, in their types and sizes', () => {
  const g = new GraphBuilder(noWeights);
  const value = declarePackedInputs(g).inputIds;
  declarePoolingSkips(g);
  const { inputs } = g.finish('test', [{ name: 'out', value }]);
  const { batch, longest, ...feeds } = toFeeds(toBatch([[1, 2, 3], [4]]), { first: 0 });
  expect(inputs.map(({ name }) => name).toSorted()).toEqual(Object.keys(feeds).toSorted());
  const sizes: Readonly<Record<string, number>> = { tokens: 4, batch, longest };
  const arrays = { int32: Int32Array, int64: BigInt64Array, bool: Uint8Array } as const;
  for (const { name, dtype, shape } of inputs) {
    const feed = feeds[name as keyof typeof feeds]; // the names were compared
    expect(feed, name).toBeInstanceOf(arrays[dtype as keyof typeof arrays]);
    expect(feed.length, name).toBe(
      shape!.reduce<number>((product, size) => product * (typeof size === 'number' ? size : sizes[size]!), 1),
    );
  }
});

test('unpadding what was padded gives the packed rows back, for any lengths', () => {
  fc.assert(
    fc.property(someLengths, fc.integer({ min: 0, max: 2 }), (lengths, firstPosition) => {
      const { ids, offsets } = toBatch(sequencesOf(lengths));
      const feeds = toFeeds({ ids, offsets }, { first: firstPosition });
      const padded = feeds.pad_index.map((row) => ids[row]!);
      expect(feeds.unpad_index.map((place) => padded[place]!)).toEqual(ids);
      expect([feeds.batch, feeds.longest]).toEqual([lengths.length, Math.max(...lengths)]);
      expect([...feeds.lengths]).toEqual(lengths);
      for (const [row, length] of lengths.entries()) {
        const own = [...ids.subarray(offsets[row], offsets[row + 1])];
        const places = [...padded.subarray(row * feeds.longest, (row + 1) * feeds.longest)];
        expect(places).toEqual([...own, ...Array.from({ length: feeds.longest - length }, () => own.at(-1))]); // the last row repeats
        expect([...feeds.position_ids.subarray(offsets[row], offsets[row + 1])]).toEqual(
          own.map((_, column) => firstPosition + column),
        );
      }
    }),
  );
});

test('the view of packed rows is [batch, longest] exactly when all lengths are equal, and always holds every row', () => {
  fc.assert(
    fc.property(someLengths, (lengths) => {
      const feeds = toFeeds(toBatch(sequencesOf(lengths)), { first: 0 });
      const areEqual = new Set(lengths).size === 1;
      expect([...feeds.equal_lengths]).toEqual([Number(areEqual)]);
      expect([...feeds.view_shape].map(Number)).toEqual([
        ...(areEqual ? [lengths.length, lengths[0]] : [1, feeds.input_ids.length]),
        -1,
      ]);
    }),
  );
});

test.each([[[3, 3, 3]], [[1]], [[5, 1, 3]]])(
  'in the graph, lengths %j are padded and unpadded without a loss',
  async (lengths) => {
    const rows = Array.from({ length: 20 }, (_, row) => [row + 0.5, -row]);
    const ids = lengths.map((length) => Array.from({ length }, (_, column) => (7 * column + length) % 20));
    const { values } = await runOverRows(tempFolder(), rows, ids, (g, hidden, inputs) => {
      const padded = g.op('Reshape', [g.op('Gather', [hidden, inputs.padIndex]), g.int64(-1, 2)]);
      return g.op('Gather', [padded, inputs.unpadIndex]);
    });
    expect(values).toEqual(ids.flat().flatMap((id) => rows[id]!));
  },
);
