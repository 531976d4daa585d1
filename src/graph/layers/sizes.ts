import type { GraphBuilder, Value } from '../builder.ts';
import type { PackedInputs } from '../packed-inputs.ts';

/** Tokens of the longest sequence. `[]` int64 */
export function longestOf(g: GraphBuilder, inputs: Pick<PackedInputs, 'padIndex'>): Value {
  return sizeOf(g, inputs.padIndex, 1);
}

/** Size of one axis. `[]` int64 */
export function sizeOf(g: GraphBuilder, x: Value, axis: number): Value {
  return g.op('Gather', [g.op('Shape', [x], { dtype: 'int64' }), g.index(axis)]);
}

/** 0, 1, 2, ... `count` numbers. `[]` int64 -> `[count]` int64 */
export function countTo(g: GraphBuilder, count: Value): Value {
  return g.op('Range', [g.index(0), count, g.index(1)]);
}

/** `first`, `first + 1`, ... `count` numbers. `[]` int64 each -> `[count]` int64 */
export function countFrom(g: GraphBuilder, first: Value, count: Value): Value {
  return g.op('Range', [first, g.op('Add', [first, count]), g.index(1)]);
}

/** `start <= index < end` of one axis. start, end: `[]` int64 */
export function sliceAxis(g: GraphBuilder, x: Value, axis: number, [start, end]: readonly [Value, Value]): Value {
  const bounds = [start, end].map((bound) => g.op('Unsqueeze', [bound, g.int64(0)]));
  return g.op('Slice', [x, ...bounds, g.int64(axis)]);
}

export function smaller(g: GraphBuilder, a: Value, b: Value): Value {
  return g.op('Min', [a, b]);
}

export function larger(g: GraphBuilder, a: Value, b: Value): Value {
  return g.op('Max', [a, b]);
}
