import type { GraphBuilder, Value } from '../builder.ts';
import { int } from '../graph.ts';
import type { PackedInputs } from '../packed-inputs.ts';
import { larger, smaller } from './sizes.ts';

/** What is added to the scores before the softmax, by the distance of query and key. */
export type Penalty =
  /** ALiBi: `-slope |i - j|`, one slope a head. */
  | { readonly kind: 'alibi'; readonly slopes: readonly number[] }
  /**
   * A learned number per head and distance, `byDistance[head][j - i + furthest]`; keys further away have that of
   * `furthest`. `[heads, 2 furthest + 1]` float32
   */
  | { readonly kind: 'learned'; readonly byDistance: Value; readonly furthest: number }
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
    switch (penalty.kind) {
      case 'alibi':
        return alibi(g, penalty, { ahead, isSeen });
      case 'learned':
        return learned(g, penalty, { ahead, isSeen });
      case 'window':
      case 'causal':
        return g.op('Where', [isSeen, g.scalar(0), g.scalar(hidden)], { dtype: 'float32' });
      default:
        return penalty satisfies never;
    }
  });
}

function seen(g: GraphBuilder, penalty: Penalty, ahead: Value): readonly Value[] {
  switch (penalty.kind) {
    case 'alibi':
    case 'learned':
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

interface Distances {
  /** `j - i`, `[rows, columns]` int64 */
  readonly ahead: Value;
  /** `[batch, 1, 1, columns]` bool */
  readonly isSeen: Value;
}

function alibi(g: GraphBuilder, { slopes }: Extract<Penalty, { kind: 'alibi' }>, { ahead, isSeen }: Distances): Value {
  const distance = g.op('Neg', [g.cast(g.op('Abs', [ahead]), 'float32')]);
  const perHead = g.op('Where', [isSeen, distance, g.scalar(hidden)], { dtype: 'float32' });
  return g.op('Mul', [g.floats(`alibi slopes ${slopes.join(', ')}`, slopes, [1, slopes.length, 1, 1]), perHead]);
}

function learned(
  g: GraphBuilder,
  { byDistance, furthest }: Extract<Penalty, { kind: 'learned' }>,
  { ahead, isSeen }: Distances,
): Value {
  const clipped = larger(g, smaller(g, ahead, g.index(furthest)), g.index(-furthest));
  const column = g.op('Add', [clipped, g.index(furthest)]);
  const perHead = g.op('Gather', [byDistance, column], { attributes: { axis: int(1) } }); // [heads, rows, columns]
  return g.op('Where', [isSeen, perHead, g.scalar(hidden)], { dtype: 'float32' });
}
