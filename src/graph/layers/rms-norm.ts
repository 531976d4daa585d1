import type { GraphBuilder, Value } from '../builder.ts';
import { float, int } from '../graph.ts';

export interface RmsNormOptions {
  readonly size: number;
  readonly epsilon: number;
  /** The factor is `1 + weight`, as Gemma has it. */
  readonly isOffset?: boolean;
}

/** `x / sqrt(mean(x^2) + epsilon) * weight` over the last axis. x: `[rows, size]` */
export function rmsNorm(g: GraphBuilder, path: string, x: Value, { size, epsilon, isOffset }: RmsNormOptions): Value {
  return g.scope(path, () => {
    const weight = g.weight(`${path}.weight`, [size]);
    const factor = isOffset === true ? g.op('Add', [weight, g.scalar(1)]) : weight;
    return g.op('SimplifiedLayerNormalization', [x, factor], {
      attributes: { axis: int(-1), epsilon: float(epsilon) },
    });
  });
}

/** The same over each head by itself, with one weight for all. x: `[tokens, heads * size]` */
export function headRmsNorm(
  g: GraphBuilder,
  path: string,
  x: Value,
  { heads, ...options }: RmsNormOptions & { readonly heads: number },
): Value {
  return g.scope(path, () => {
    const rows = g.op('Reshape', [x, g.int64(-1, options.size)]);
    return g.op('Reshape', [rmsNorm(g, path, rows, options), g.int64(-1, heads * options.size)]);
  });
}
