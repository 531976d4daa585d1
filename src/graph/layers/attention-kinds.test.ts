import { expect, test } from 'vitest';
import {
  randomRows,
  referenceAttention,
  type ReferenceOptions,
  rowWidth,
  runAttention,
} from '../../../tests/graph/reference-attention.ts';
import { maxDifference } from '../../../tests/graph/run-graph.ts';
import type { GraphBuilder, Value } from '../builder.ts';
import type { PackedInputs } from '../packed-inputs.ts';
import { attention } from './attention.ts';
import { biasedAttention, sharePenalty } from './biased-attention.ts';
import { causalAttention, causalSizes } from './causal-attention.ts';
import type { QueryKeyValue } from './heads.ts';
import { softcappedAttention } from './softcapped-attention.ts';

interface Kind {
  readonly reference: ReferenceOptions;
  readonly attend: (g: GraphBuilder, qkv: QueryKeyValue, inputs: PackedInputs) => Value;
}

const shared = { heads: 4, keyHeads: 2, size: 8 };
const slopes = [0.5, 0.25, 0.06, 0.01];
const learned = randomRows(4, 7);

/** Every kind of attention with shared keys and a scale of its own. */
const kinds: Readonly<Record<string, Kind>> = {
  bidirectional: {
    reference: { ...shared, scale: 0.3 },
    attend: (g, qkv, inputs) => attention(g, 'self', qkv, { ...shared, scale: 0.3 }, inputs),
  },
  causal: {
    reference: { ...shared, scale: 0.3, isSeen: (i, j) => j <= i },
    attend: (g, qkv, inputs) =>
      causalAttention(g, 'self', qkv, { ...shared, scale: 0.3 }, { inputs, sizes: causalSizes(g, inputs) }),
  },
  'causal in a window of 5': {
    reference: { ...shared, isSeen: (i, j) => j <= i && i - j < 5 },
    attend: (g, qkv, inputs) =>
      causalAttention(g, 'self', qkv, { ...shared, window: 5 }, { inputs, sizes: causalSizes(g, inputs) }),
  },
  'bidirectional with ALiBi': {
    reference: { ...shared, bias: (head, i, j) => -slopes[head]! * Math.abs(i - j) },
    attend: (g, qkv, inputs) =>
      biasedAttention(g, 'self', qkv, shared, { inputs, shared: sharePenalty(g, { kind: 'alibi', slopes }, inputs) }),
  },
  'bidirectional with a learned number per distance': {
    reference: { ...shared, bias: (head, i, j) => learned[head]![Math.max(-3, Math.min(3, j - i)) + 3]! },
    attend: (g, qkv, inputs) => {
      const byDistance = g.floats('learned', learned.flat(), [4, 7]);
      const penalty = sharePenalty(g, { kind: 'learned', furthest: 3, byDistance }, inputs);
      return biasedAttention(g, 'self', qkv, shared, { inputs, shared: penalty });
    },
  },
  'bidirectional within a reach of 3': {
    reference: { ...shared, scale: 0.3, isSeen: (i, j) => Math.abs(i - j) <= 3 },
    attend: (g, qkv, inputs) => {
      const penalty = sharePenalty(g, { kind: 'window', reach: 3 }, inputs);
      return biasedAttention(g, 'self', qkv, { ...shared, scale: 0.3 }, { inputs, shared: penalty });
    },
  },
  'soft-capped': {
    reference: { ...shared, softcap: 2, isSeen: (i, j) => j <= i },
    attend: (g, qkv, inputs) => softcappedAttention(g, 'self', qkv, { ...shared, softcap: 2 }, inputs),
  },
  'soft-capped in a window of 5': {
    reference: { ...shared, scale: 0.3, softcap: 2, isSeen: (i, j) => j <= i && i - j < 5 },
    attend: (g, qkv, inputs) =>
      softcappedAttention(g, 'self', qkv, { ...shared, scale: 0.3, softcap: 2, window: 5 }, inputs),
  },
};

const table = randomRows(40, rowWidth(shared));
/** A size that the causal kernel does not take as it is. */
const odd = { ...shared, size: 10 };
const oddTable = randomRows(40, rowWidth(odd));
const short = [
  [[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]],
  [
    [3, 1, 4],
    [1, 5, 9],
  ],
  [[3, 1, 4, 1, 5, 9, 2], [6], [5, 3]],
  [[1], [2]],
];
/** Beyond one block of queries, what is computed at once, and the reach of steep ALiBi heads; whole blocks and not. */
const long = [129, 512, 513, 1100].map((length) => [Array.from({ length }, (_, i) => (i * 7) % 40)]);
const longRagged = [[530, 3, 200].map((length) => Array.from({ length }, (_, i) => (i * 11) % 40))];

test.each(Object.entries(kinds))(
  '%s attention is what plain loops give, at every length',
  async (_name, kind) => {
    for (const ids of [...short, ...long, ...longRagged]) {
      const { shape, values } = await runAttention(table, ids, kind.reference, kind.attend);
      expect(shape).toEqual([ids.flat().length, shared.heads * shared.size]);
      const expected = ids.flatMap((sequence) =>
        referenceAttention(
          sequence.map((id) => table[id]!),
          kind.reference,
        ),
      );
      expect(maxDifference(values, expected), ids.map(({ length }) => length).join()).toBeLessThanOrEqual(1e-5);
    }
  },
  60_000,
); // plain loops over 1100 x 1100 scores

test.each(Object.entries(kinds))(
  'a NaN in one sequence does not reach another under %s attention',
  async (_n, kind) => {
    const rows = [...table, table[0]!.map(() => NaN)];
    for (const ids of [
      [
        [1, 40],
        [2, 3],
      ],
      [[40, 1, 1], [2, 3], [6]],
    ]) {
      const { values } = await runAttention(rows, ids, kind.reference, kind.attend);
      let start = 0;
      for (const sequence of ids) {
        const got = values.slice(start, (start += shared.heads * shared.size * sequence.length));
        expect(got.some(Number.isNaN), JSON.stringify(ids)).toBe(sequence.includes(40));
      }
    }
  },
);

test('causal attention takes heads of any size', async () => {
  for (const window of [undefined, 5]) {
    const own = { ...odd, ...(window === undefined ? {} : { window }) };
    for (const ids of [...short, [Array.from({ length: 200 }, (_, i) => (i * 7) % 40)]]) {
      const { shape, values } = await runAttention(oddTable, ids, odd, (g, qkv, inputs) =>
        causalAttention(g, 'self', qkv, own, { inputs, sizes: causalSizes(g, inputs) }),
      );
      expect(shape).toEqual([ids.flat().length, odd.heads * odd.size]);
      const expected = ids.flatMap((sequence) =>
        referenceAttention(
          sequence.map((id) => oddTable[id]!),
          { ...odd, isSeen: (i, j) => j <= i && i - j < (window ?? Infinity) },
        ),
      );
      expect(maxDifference(values, expected)).toBeLessThanOrEqual(1e-5);
    }
  }
});
