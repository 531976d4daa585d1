import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../builder.ts';
import { float, int } from '../graph.ts';
import type { PackedInputs } from '../packed-inputs.ts';
import { type Heads, type QueryKeyValue, repeatHeads } from './heads.ts';
import { padded } from './padded.ts';

/**
 * Bidirectional attention `softmax(scale Q K^T) V` of each sequence to itself. q: `[tokens, heads * size]`, k and v:
 * `[tokens, keyHeads * size]` -> `[tokens, heads * size]`. Without padding the kernel needs no mask and is flash-style:
 * constant memory at any length.
 */
export function attention(
  g: GraphBuilder,
  path: string,
  [q, k, v]: QueryKeyValue,
  heads: Heads,
  inputs: PackedInputs,
): Value {
  const attributes = {
    num_heads: int(heads.heads),
    ...(heads.scale === undefined ? {} : { scale: float(heads.scale) }),
  };
  return g.scope(path, () =>
    padded(
      g,
      [q, repeatHeads(g, k, heads), repeatHeads(g, v, heads)],
      { inputs, resultSize: heads.heads * heads.size },
      (inner, qkv, hasPadding) =>
        inner.op('MultiHeadAttention', hasPadding ? [...qkv, undefined, inputs.lengths] : qkv, {
          attributes,
          domain: 'com.microsoft',
        }),
    ),
  );
}
