import type { GraphBuilder, Value } from '../builder.ts';
import { float, int } from '../graph.ts';
import { type EmbeddingSizes, embedding } from './embedding.ts';
import { linear, type LinearSizes } from './linear.ts';
import { sliceAxis } from './sizes.ts';

/** One of the low-rank adapters (LoRA, Hu et al. 2021) that a checkpoint holds beside each weight. */
export interface Adapter {
  /** How many there are, stacked along the first axis of `lora_A` and `lora_B`. */
  readonly count: number;
  /** Which one is applied. */
  readonly index: number;
  readonly rank: number;
  /** Factor of what it adds: alpha / rank. */
  readonly scale: number;
}

/**
 * `y = x (W + scale B A)^T + b`; plain where there is no adapter. `lora_A`: `[count, rank, inputs]`, `lora_B`:
 * `[count, outputs, rank]`. ONNX Runtime merges the weight when it loads the graph.
 */
export function lowRankLinear(
  g: GraphBuilder,
  path: string,
  x: Value,
  sizes: LinearSizes,
  adapter: Adapter | undefined,
): Value {
  if (adapter === undefined) return linear(g, path, x, sizes);
  const { inputs, outputs, bias = true, part = { from: 0, rows: outputs } } = sizes;
  return g.scope(path, () => {
    const a = ownOf(g, `${path}.lora_A`, adapter, [adapter.rank, inputs]);
    const allRows = ownOf(g, `${path}.lora_B`, adapter, [outputs, adapter.rank]);
    const b = sliceAxis(g, allRows, 0, [g.index(part.from), g.index(part.from + part.rows)]);
    const base = g.weightRows(`${path}.weight`, [outputs, inputs], part);
    const merged = g.op('Gemm', [b, a, base], { attributes: { alpha: float(adapter.scale) } });
    const parameters = bias ? [merged, g.weightRows(`${path}.bias`, [outputs], part)] : [merged];
    return g.op('Gemm', [x, ...parameters], { attributes: { transB: int(1) } });
  });
}

/**
 * Rows of the table `W + scale A B`, of which only those taken are computed. ids: `[tokens]` -> `[tokens, size]`.
 * `lora_A`: `[count, rows, rank]`, `lora_B`: `[count, rank, size]`, the other way round than in a linear layer.
 */
export function lowRankEmbedding(
  g: GraphBuilder,
  path: string,
  ids: Value,
  { rows, size }: EmbeddingSizes,
  adapter: Adapter | undefined,
): Value {
  const base = embedding(g, path, ids, { rows, size });
  if (adapter === undefined) return base;
  return g.scope(path, () => {
    const taken = g.op('Gather', [ownOf(g, `${path}.lora_A`, adapter, [rows, adapter.rank]), ids]);
    const b = ownOf(g, `${path}.lora_B`, adapter, [adapter.rank, size]);
    return g.op('Gemm', [taken, b, base], { attributes: { alpha: float(adapter.scale) } });
  });
}

/** The part of a stacked tensor that is the adapter's own, as a matrix. */
function ownOf(g: GraphBuilder, name: string, { count, index }: Adapter, shape: readonly [number, number]): Value {
  return g.op('Reshape', [g.weightRows(name, [count, ...shape], { from: index, rows: 1 }), g.int64(...shape)]);
}
