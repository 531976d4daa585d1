import type { GraphBuilder, Value } from '../builder.ts';
import type { PackedInputs } from '../packed-inputs.ts';

/** What is added to the scores before the softmax, by the distance of query and key. */
export type Penalty =
  /** ALiBi: `-slope |i - j|`, one slope a head. */
  | { readonly kind: 'alibi'; readonly slopes: readonly number[] }
  /** Only keys with `|i - j| <= reach` are seen. */
  | { readonly kind: 'window'; readonly reach: number }
  /** Only keys with `0 <= i - j` are seen, and `i - j < window` where that is given. */
  | { readonly kind: 'causal'; readonly window?: number };

export type BidirectionalPenalty = Exclude<Penalty, { kind: 'causal' }>;

/** Hides a key: no score of a real model comes near, and sums of two stay finite in float32. */
const hidden = -1e30;

/**
 * The penalty of each query and key; keys past the end of their sequence are hidden. queries: `[rows]` int64 positions,
 * keys: `[columns]` int64 positions -> `[batch, heads or 1, rows, columns]`
 */
export function attentionPenalty(
  g: GraphBuilder,
  penalty: Penalty,
  { queries, keys }: { readonly queries: Value; readonly keys: Value },
  inputs: PackedInputs,
): Value {
  return g.scope('penalty', () => {
    const ahead = g.op('Sub', [keys, g.op('Unsqueeze', [queries, g.int64(1)])]); // j - i, [rows, columns]
    const lengths = g.op('Unsqueeze', [g.cast(inputs.lengths, 'int64'), g.int64(1, 2, 3)]);
    const isReal = g.op('Less', [keys, lengths], { dtype: 'bool' }); // [batch, 1, 1, columns]
    const isSeen = both(g, isReal, ...seen(g, penalty, ahead));
    if (penalty.kind !== 'alibi') return g.op('Where', [isSeen, g.scalar(0), g.scalar(hidden)], { dtype: 'float32' });
    const distance = g.op('Neg', [g.cast(g.op('Abs', [ahead]), 'float32')]);
    const perHead = g.op('Where', [isSeen, distance, g.scalar(hidden)], { dtype: 'float32' });
    const { slopes } = penalty;
    return g.op('Mul', [g.floats(`alibi slopes ${slopes.join(', ')}`, slopes, [1, slopes.length, 1, 1]), perHead]);
  });
}

function seen(g: GraphBuilder, penalty: Penalty, ahead: Value): readonly Value[] {
  switch (penalty.kind) {
    case 'alibi':
      return [];
    case 'window':
      return [g.op('LessOrEqual', [g.op('Abs', [ahead]), g.index(penalty.reach)], { dtype: 'bool' })];
    case 'causal': {
      const isBefore = g.op('LessOrEqual', [ahead, g.index(0)], { dtype: 'bool' });
      if (penalty.window === undefined) return [isBefore];
      return [isBefore, g.op('Greater', [ahead, g.index(-penalty.window)], { dtype: 'bool' })];
    }
    default:
      return penalty satisfies never;
  }
}

function both(g: GraphBuilder, first: Value, ...others: readonly Value[]): Value {
  return others.reduce((all, other) => g.op('And', [all, other]), first);
}
