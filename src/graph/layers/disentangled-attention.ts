import type { GraphBuilder, Value } from '../builder.ts';
import { int } from '../graph.ts';
import type { PackedInputs } from '../packed-inputs.ts';
import { headAttributes, type Heads, type QueryKeyValue, splitHeads, transpose } from './heads.ts';
import { padded } from './padded.ts';
import { fitsWhole, overQueryBlocks } from './query-blocks.ts';
import { countTo, sizeOf } from './sizes.ts';

const blockRows = 128;

/** What positions look like to this layer, by bucket of distance. */
export interface DisentangledPositions {
  /** `[buckets, heads * size]` */
  readonly queries: Value;
  readonly keys: Value;
  /** The bucket of each distance `query - key`, the least first, which is `1 - (count + 1) / 2`. `[count]` int64 */
  readonly buckets: Value;
  readonly distances: number;
}

/**
 * DeBERTa's attention (He et al. 2020): the score of query i and key j is
 * `scale (q_i k_j + q_i K[bucket(i - j)] + k_j Q[bucket(i - j)])`, K and Q the keys and queries of positions.
 * q, k, v: `[tokens, heads * size]` -> `[tokens, heads * size]`
 */
export function disentangledAttention(
  g: GraphBuilder,
  path: string,
  qkv: QueryKeyValue,
  heads: Heads & { readonly scale: number },
  { inputs, positions }: { readonly inputs: PackedInputs; readonly positions: DisentangledPositions },
): Value {
  const size = heads.heads * heads.size;
  return g.scope(path, () => {
    const columns = [positions.keys, positions.queries].map((x) => headColumns(g, x, heads));
    return padded(g, qkv, { inputs, resultSize: size }, (inner, [queries, keys, values], hasPadding) => {
      const length = sizeOf(inner, queries!, 1);
      const operands: Operands = {
        keys: keys!,
        values: values!,
        positionKeys: columns[0]!,
        // Of every key and bucket, once for all blocks.
        ofKeys: inner.op('MatMul', [splitHeads(inner, keys!, heads), columns[1]!]),
        keyPositions: countTo(inner, length),
        positions,
        lengths: hasPadding ? inputs.lengths : undefined,
      };
      return inner.branch(
        fitsWhole(inner, length),
        (whole) => attend(whole, { queries: queries!, positions: operands.keyPositions }, operands, heads),
        (long) =>
          overQueryBlocks(long, queries!, { rows: blockRows, size }, (body, block) =>
            attend(body, block, operands, heads),
          ),
      );
    });
  });
}

interface Operands {
  /** `[batch, length, heads * size]` */
  readonly keys: Value;
  readonly values: Value;
  /** `[heads, size, buckets]` */
  readonly positionKeys: Value;
  /** Scores of keys and the queries of positions. `[batch, heads, length, buckets]` */
  readonly ofKeys: Value;
  /** `[length]` int64 */
  readonly keyPositions: Value;
  readonly positions: DisentangledPositions;
  /** Of the sequences, where some are padded. */
  readonly lengths: Value | undefined;
}

/** queries: `[batch, rows, heads * size]` at `positions` `[rows]` int64 */
function attend(
  g: GraphBuilder,
  { queries, positions }: { readonly queries: Value; readonly positions: Value },
  { keys, values, positionKeys, ofKeys, keyPositions, positions: { buckets, distances }, lengths }: Operands,
  heads: Heads & { readonly scale: number },
): Value {
  const distance = g.op('Sub', [g.op('Unsqueeze', [positions, g.int64(1)]), keyPositions]);
  const bucket = g.op('Gather', [buckets, g.op('Add', [distance, g.index((distances - 1) / 2)])]); // [rows, length]
  const ofQueries = g.op('MatMul', [splitHeads(g, queries, heads), positionKeys]); // [batch, heads, rows, buckets]
  const contentToPosition = pick(g, ofQueries, bucket);
  const positionToContent = pick(g, ofKeys, transpose(g, bucket, [1, 0])); // [batch, heads, length, rows]
  const sum = g.op('Add', [contentToPosition, transpose(g, positionToContent, [0, 1, 3, 2])]);
  const bias = g.op('Mul', [sum, g.scalar(heads.scale)]);
  return g.op('MultiHeadAttention', [queries, keys, values, undefined, lengths, bias], {
    attributes: headAttributes(heads),
    domain: 'com.microsoft',
  });
}

/** One bucket of each row: x: `[batch, heads, m, buckets]`, bucket: `[m, n]` -> `[batch, heads, m, n]` */
function pick(g: GraphBuilder, x: Value, bucket: Value): Value {
  const shape = (value: Value) => g.op('Shape', [value], { dtype: 'int64' });
  const outer = g.op('Slice', [shape(x), g.int64(0), g.int64(2)]);
  const full = g.op('Concat', [outer, shape(bucket)], { attributes: { axis: int(0) } });
  return g.op('GatherElements', [x, g.op('Expand', [bucket, full])], { attributes: { axis: int(-1) } });
}

/** `[buckets, heads * size]` -> `[heads, size, buckets]` */
function headColumns(g: GraphBuilder, x: Value, { heads, size }: Heads): Value {
  return transpose(g, g.op('Reshape', [x, g.int64(-1, heads, size)]), [1, 2, 0]);
}
