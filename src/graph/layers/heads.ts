import type { GraphBuilder, Value } from '../builder.ts';
import { type Attribute, float, int, ints } from '../graph.ts';

/** How the columns of q, k and v are cut into heads. */
export interface Heads {
  readonly heads: number;
  /** Heads of keys and values; each serves `heads / keyHeads` consecutive heads of queries. As many as `heads` when absent. */
  readonly keyHeads?: number;
  /** Columns of one head. */
  readonly size: number;
  /** Factor of the scores; `1 / sqrt(size)` when absent. */
  readonly scale?: number;
}

/** What every attention kernel is told of its heads; one without `scale` takes `1 / sqrt(size)`. */
export function headAttributes({ heads, scale }: Heads): Readonly<Record<string, Attribute>> {
  return { num_heads: int(heads), ...(scale === undefined ? {} : { scale: float(scale) }) };
}

export type QueryKeyValue = readonly [query: Value, key: Value, value: Value];

/** Rows of keys or values with each head as often as queries share it: `[tokens, keyHeads * size]` -> `[tokens, heads * size]`. */
export function repeatHeads(g: GraphBuilder, x: Value, { heads, keyHeads = heads, size }: Heads): Value {
  if (keyHeads === heads) return x;
  const single = g.op('Reshape', [x, g.int64(-1, keyHeads, 1, size)]);
  const repeated = g.op('Expand', [single, g.int64(1, 1, heads / keyHeads, 1)]);
  return g.op('Reshape', [repeated, g.int64(-1, heads * size)]);
}

/** Heads of `size` columns with zeros after them: `[tokens, heads * size]` -> `[tokens, heads * wide]`. */
export function widenHeads(
  g: GraphBuilder,
  x: Value,
  { heads, size, wide }: { readonly heads: number; readonly size: number; readonly wide: number },
): Value {
  const byHead = g.op('Reshape', [x, g.int64(-1, heads, size)]);
  const padded = g.op('Pad', [byHead, g.int64(0, 0, 0, 0, 0, wide - size)]);
  return g.op('Reshape', [padded, g.int64(-1, heads * wide)]);
}

/** The first `size` columns of heads: `[tokens, heads * wide]` -> `[tokens, heads * size]`. */
export function narrowHeads(
  g: GraphBuilder,
  x: Value,
  { heads, size, wide }: { readonly heads: number; readonly size: number; readonly wide: number },
): Value {
  const byHead = g.op('Reshape', [x, g.int64(-1, heads, wide)]);
  const kept = g.op('Slice', [byHead, g.int64(0), g.int64(size), g.int64(2)]);
  return g.op('Reshape', [kept, g.int64(-1, heads * size)]);
}

/** `[batch, length, heads * size]` -> `[batch, heads, length, size]` */
export function splitHeads(g: GraphBuilder, x: Value, { heads, size }: Heads): Value {
  return transpose(g, g.op('Reshape', [x, g.int64(0, -1, heads, size)]), [0, 2, 1, 3]);
}

export function transpose(g: GraphBuilder, x: Value, perm: readonly number[]): Value {
  return g.op('Transpose', [x], { attributes: { perm: ints(perm) } });
}
