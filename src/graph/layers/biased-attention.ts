import type { GraphBuilder, Value } from '../builder.ts';
import type { PackedInputs } from '../packed-inputs.ts';
import { attentionPenalty, type BidirectionalPenalty } from './attention-penalty.ts';
import { attendWithBias, biasedBlocks } from './biased-blocks.ts';
import { type Heads, type QueryKeyValue, repeatHeads } from './heads.ts';
import { padded } from './padded.ts';
import { fitsWhole } from './query-blocks.ts';
import { countTo, longestOf } from './sizes.ts';

/** A penalty with what the layers of one graph share of it. */
export interface SharedPenalty {
  readonly penalty: BidirectionalPenalty;
  /** Whether the whole of it is computed once for all layers. `[]` bool */
  readonly isWhole: Value;
  /** `[batch, heads or 1, longest, longest]`; one unused number where the sequences are too long for it. */
  readonly whole: Value;
}

/** Made once a graph for each penalty its layers use. */
export function sharePenalty(g: GraphBuilder, penalty: BidirectionalPenalty, inputs: PackedInputs): SharedPenalty {
  return g.scope(`attention_${penalty.kind}`, () => {
    const longest = longestOf(g, inputs);
    const isWhole = fitsWhole(g, longest);
    const whole = g.branch(
      isWhole,
      (then) => {
        const positions = countTo(then, longest);
        return attentionPenalty(then, penalty, { queries: positions, keys: positions }, inputs);
      },
      (otherwise) => otherwise.floats('no penalty', [0], [1, 1, 1, 1]),
    );
    return { penalty, isWhole, whole };
  });
}

/**
 * Bidirectional attention with a penalty on the scores. q: `[tokens, heads * size]`, k and v: `[tokens, keyHeads * size]`
 * -> `[tokens, heads * size]`. Long sequences are computed in blocks of queries, and see only the keys within reach.
 */
export function biasedAttention(
  g: GraphBuilder,
  path: string,
  [q, k, v]: QueryKeyValue,
  heads: Heads,
  { inputs, shared }: { readonly inputs: PackedInputs; readonly shared: SharedPenalty },
): Value {
  const resultSize = heads.heads * heads.size;
  return g.scope(path, () =>
    padded(
      g,
      [q, repeatHeads(g, k, heads), repeatHeads(g, v, heads)],
      { inputs, resultSize },
      (inner, [queries, keys, values]) =>
        inner.branch(
          shared.isWhole,
          (whole) => attendWithBias(whole, [queries!, keys!, values!], shared.whole, heads),
          (long) => biasedBlocks(long, [queries!, keys!, values!], heads, { inputs, penalty: shared.penalty }),
        ),
    ),
  );
}
