import type { GraphBuilder, Value } from '../builder.ts';
import { int } from '../graph.ts';
import { countFrom, sizeOf, sliceAxis, smaller } from './sizes.ts';
import { transpose } from './heads.ts';

const wholeLimit = 512; // 12 MB of scores for 12 heads

/** Whether all scores of sequences so long are computed at once, and not in blocks. length: `[]` int64 -> `[]` bool */
export function fitsWhole(g: GraphBuilder, length: Value): Value {
  return g.op('LessOrEqual', [length, g.index(wholeLimit)], { dtype: 'bool' });
}

/** Some queries of every sequence, and the positions they have. */
export interface QueryBlock {
  /** `[batch, rows, size]` */
  readonly queries: Value;
  /** `[rows]` int64; those past the end repeat the last one */
  readonly positions: Value;
  /** `[]` int64 */
  readonly first: Value;
  /** One past the last position of the block that exists. `[]` int64 */
  readonly end: Value;
}

/**
 * Attention block by block of queries, so that scores take `rows * length` numbers a head and not `length * length`.
 * queries: `[batch, length, size]`; `body` gives `[batch, rows, size]` of a block -> `[batch, length, size]`.
 */
export function overQueryBlocks(
  g: GraphBuilder,
  queries: Value,
  { rows, size }: { readonly rows: number; readonly size: number },
  body: (g: GraphBuilder, block: QueryBlock) => Value,
): Value {
  const length = sizeOf(g, queries, 1);
  const count = g.op('Div', [g.op('Add', [length, g.index(rows - 1)]), g.index(rows)]);
  const stacked = g.loop(count, (inner, index) => {
    const first = inner.op('Mul', [index, inner.index(rows)]);
    const last = inner.op('Sub', [length, inner.index(1)]);
    const positions = smaller(inner, countFrom(inner, first, inner.index(rows)), last);
    const taken = inner.op('Gather', [queries, positions], { attributes: { axis: int(1) } });
    const end = smaller(inner, inner.op('Add', [first, inner.index(rows)]), length);
    return body(inner, { queries: taken, positions, first, end });
  });
  const inOrder = g.op('Reshape', [transpose(g, stacked, [1, 0, 2, 3]), g.int64(0, -1, size)]);
  return sliceAxis(g, inOrder, 1, [g.index(0), length]);
}
