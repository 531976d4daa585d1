import type { GraphBuilder, Value } from '../builder.ts';
import { float, int } from '../graph.ts';
import type { PackedInputs } from '../packed-inputs.ts';
import { attentionPenalty, type Penalty } from './attention-penalty.ts';
import { type Heads, type QueryKeyValue, repeatHeads, splitHeads } from './heads.ts';
import { padded } from './padded.ts';
import { overQueryBlocks } from './query-blocks.ts';
import { countFrom, larger, longestOf, sizeOf, sliceAxis, smaller } from './sizes.ts';

const wholeLimit = 512; // tokens up to which all scores of a sequence are computed at once: 12 MB for 12 heads
const blockRows = 128; // half as many cost 12 % of the speed, twice as many twice the memory

/** A penalty of bidirectional attention, with what the layers of one graph share of it. */
export interface SharedPenalty {
  readonly penalty: Exclude<Penalty, { kind: 'causal' }>;
  /** Whether the whole of it is computed once for all layers. `[]` bool */
  readonly isWhole: Value;
  /** `[batch, heads or 1, longest, longest]`; one unused number where the sequences are too long for it. */
  readonly whole: Value;
}

/** Made once a graph for each penalty its layers use. */
export function sharePenalty(g: GraphBuilder, penalty: SharedPenalty['penalty'], inputs: PackedInputs): SharedPenalty {
  return g.scope(`attention_${penalty.kind}`, () => {
    const longest = longestOf(g, inputs);
    const isWhole = g.op('LessOrEqual', [longest, g.index(wholeLimit)], { dtype: 'bool' });
    const whole = g.branch(
      isWhole,
      (then) => {
        const positions = countFrom(then, then.index(0), longest);
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
          (whole) => attend(whole, [queries!, keys!, values!], shared.whole, heads),
          (blocks) => inBlocks(blocks, [queries!, keys!, values!], heads, { inputs, penalty: shared.penalty }),
        ),
    ),
  );
}

function inBlocks(
  g: GraphBuilder,
  [queries, keys, values]: QueryKeyValue,
  heads: Heads,
  { inputs, penalty }: { readonly inputs: PackedInputs; readonly penalty: SharedPenalty['penalty'] },
): Value {
  const length = sizeOf(g, queries, 1);
  const [keyHeads, valueHeads] = [splitHeads(g, keys, heads), splitHeads(g, values, heads)];
  return overQueryBlocks(g, queries, { rows: blockRows, size: heads.heads * heads.size }, (inner, block) => {
    const [from, to] =
      penalty.kind === 'window'
        ? [
            larger(inner, inner.op('Sub', [block.first, inner.index(penalty.reach)]), inner.index(0)),
            smaller(inner, inner.op('Add', [block.end, inner.index(penalty.reach)]), length),
          ]
        : [inner.index(0), length];
    const inReach = (x: Value) => (penalty.kind === 'window' ? sliceAxis(inner, x, 2, [from, to]) : x);
    const positions = countFrom(inner, from, inner.op('Sub', [to, from]));
    const bias = attentionPenalty(inner, penalty, { queries: block.positions, keys: positions }, inputs);
    return attend(inner, [block.queries, inReach(keyHeads), inReach(valueHeads)], bias, heads);
  });
}

/** k and v: `[batch, columns, heads * size]` or `[batch, heads, columns, size]` */
function attend(g: GraphBuilder, qkv: QueryKeyValue, bias: Value, { heads, scale }: Heads): Value {
  return g.op('MultiHeadAttention', [...qkv, undefined, undefined, bias], {
    attributes: { num_heads: int(heads), ...(scale === undefined ? {} : { scale: float(scale) }) },
    domain: 'com.microsoft',
  });
}
