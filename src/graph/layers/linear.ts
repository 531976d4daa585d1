import type { GraphBuilder, Value } from '../builder.ts';
import { int } from '../graph.ts';

export interface LinearSizes {
  readonly inputs: number;
  readonly outputs: number;
  readonly bias?: boolean;
}

/** `y = x W^T + b` with PyTorch's `[outputs, inputs]` weight as it lies in the file. x: `[tokens, inputs]`. */
export function linear(g: GraphBuilder, path: string, x: Value, { inputs, outputs, bias = true }: LinearSizes): Value {
  return g.scope(path, () => {
    const weight = g.weight(`${path}.weight`, [outputs, inputs]);
    const parameters = bias ? [weight, g.weight(`${path}.bias`, [outputs])] : [weight];
    return g.op('Gemm', [x, ...parameters], { attributes: { transB: int(1) } });
  });
}
