import type { GraphBuilder, Value } from '../builder.ts';
import { int } from '../graph.ts';

/** Below `exp(-104)` a weight is zero in float32, denormal numbers included. */
const underflow = 104;

export interface ReachOperands {
  /** `[batch, length, heads * size]` */
  readonly queries: Value;
  /** `[batch, heads, length, size]` */
  readonly keys: Value;
  /** `[]` int64 */
  readonly length: Value;
  readonly size: number;
  readonly scale: number;
  /** The flattest of the heads. */
  readonly slope: number;
}

/**
 * How far apart a query and a key of ALiBi heads can be and still have a weight above zero, `[]` int64. With
 * `bound = scale |q| |k|`, no score exceeds `bound - slope distance`, and that of a token with itself is at least
 * `-bound`; so a weight is at most `exp(2 bound - slope distance)`. Leaving those keys out changes no sum.
 */
export function alibiReach(g: GraphBuilder, { queries, keys, length, size, scale, slope }: ReachOperands): Value {
  return g.scope('reach', () => {
    const byHead = g.op('Reshape', [queries, g.int64(0, 0, -1, size)]);
    const norms = [byHead, keys].map((x) => longestRow(g, x));
    const bound = g.op('Mul', [g.op('Mul', [norms[0]!, norms[1]!]), g.scalar(2 * scale)]);
    const reach = g.op('Div', [g.op('Add', [bound, g.scalar(underflow)]), g.scalar(slope)]);
    const most = g.cast(length, 'float32');
    // Not `Min`: with a NaN among the numbers all keys count.
    const finite = g.op('Where', [g.op('Less', [reach, most], { dtype: 'bool' }), reach, most], { dtype: 'float32' });
    return g.cast(g.op('Ceil', [finite]), 'int64');
  });
}

function longestRow(g: GraphBuilder, x: Value): Value {
  const lengths = g.op('ReduceL2', [x, g.int64(-1)], { attributes: { keepdims: int(0) } });
  return g.op('ReduceMax', [lengths], { attributes: { keepdims: int(0) } });
}
