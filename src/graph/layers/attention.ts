import type { GraphBuilder, Value } from '../builder.ts';
import type { PackedInputs } from '../packed-inputs.ts';
import { headAttributes, type Heads, type QueryKeyValue, repeatHeads } from './heads.ts';
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
  return g.scope(path, () =>
    padded(
      g,
      [q, repeatHeads(g, k, heads), repeatHeads(g, v, heads)],
      { inputs, resultSize: heads.heads * heads.size },
      (inner, qkv, hasPadding) =>
        inner.op('MultiHeadAttention', hasPadding ? [...qkv, undefined, inputs.lengths] : qkv, {
          attributes: headAttributes(heads),
          domain: 'com.microsoft',
        }),
    ),
  );
}
