import type { GraphBuilder, Value } from '../builder.ts';
import { int } from '../graph.ts';
import type { PackedInputs } from '../packed-inputs.ts';

export interface AttentionOptions {
  readonly heads: number;
  /** heads * head size */
  readonly hidden: number;
}

/**
 * Bidirectional attention `softmax(Q K^T / sqrt(d)) V` of each sequence to itself. q, k, v: `[tokens, hidden]`.
 *
 *     equal lengths (no mask: the kernel is flash-style)   other lengths
 *       view [batch, longest, hidden]                        Gather pad_index
 *       MultiHeadAttention                                   MultiHeadAttention with lengths as mask
 *                                                            Gather unpad_index
 *
 * Views are taken outside the branches: a branch would copy the values it reshapes.
 */
export function attention(
  g: GraphBuilder,
  path: string,
  qkv: readonly [Value, Value, Value],
  options: AttentionOptions,
  inputs: PackedInputs,
): Value {
  const attributes = { num_heads: int(options.heads) };
  const rows = g.int64(-1, options.hidden);
  return g.scope(path, () => {
    const views = qkv.map((x) => g.op('Reshape', [x, inputs.viewShape]));
    const context = g.branch(
      inputs.equalLengths,
      (then) => then.op('MultiHeadAttention', views, { attributes, domain: 'com.microsoft' }),
      (otherwise) => {
        const padded = qkv.map((x) => otherwise.op('Gather', [x, inputs.padIndex]));
        const attended = otherwise.op('MultiHeadAttention', [...padded, undefined, inputs.lengths], {
          attributes,
          domain: 'com.microsoft',
        });
        return otherwise.op('Gather', [otherwise.op('Reshape', [attended, rows]), inputs.unpadIndex]);
      },
    );
    return g.op('Reshape', [context, rows]);
  });
}
