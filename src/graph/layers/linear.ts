import type { GraphBuilder, RowRange, Value } from '../builder.ts';
import { int } from '../graph.ts';

export interface LinearSizes {
  readonly inputs: number;
  readonly outputs: number;
  readonly bias?: boolean;
  /** The rows of a fused weight of `outputs` rows that are this layer. */
  readonly part?: RowRange;
}

/** `y = x W^T + b` with PyTorch's `[outputs, inputs]` weight as it lies in the file. x: `[tokens, inputs]`. */
export function linear(
  g: GraphBuilder,
  path: string,
  x: Value,
  { inputs, outputs, bias = true, part }: LinearSizes,
): Value {
  return g.scope(path, () => {
    const parameter = (name: string, shape: readonly number[]) =>
      part === undefined ? g.weight(`${path}.${name}`, shape) : g.weightRows(`${path}.${name}`, shape, part);
    const weight = parameter('weight', [outputs, inputs]);
    const parameters = bias ? [weight, parameter('bias', [outputs])] : [weight];
    return g.op('Gemm', [x, ...parameters], { attributes: { transB: int(1) } });
  });
}

/** The equal parts of a fused layer of `parts * outputs` rows, each a layer of its own: no output is split. */
export function fusedLinear(
  g: GraphBuilder,
  path: string,
  x: Value,
  { parts, outputs, ...sizes }: LinearSizes & { readonly parts: number },
): Value[] {
  return Array.from({ length: parts }, (_, index) =>
    linear(g, path, x, { ...sizes, outputs: parts * outputs, part: { from: index * outputs, rows: outputs } }),
  );
}
