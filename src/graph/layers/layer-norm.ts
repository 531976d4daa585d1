import type { GraphBuilder, Value } from '../builder.ts';
import { float, int } from '../graph.ts';

export interface LayerNormOptions {
  readonly size: number;
  readonly epsilon: number;
  readonly bias?: boolean;
}

/** Layer normalisation over the last axis with population variance. x: `[tokens, size]`. */
export function layerNorm(
  g: GraphBuilder,
  path: string,
  x: Value,
  { size, epsilon, bias = true }: LayerNormOptions,
): Value {
  return g.scope(path, () => {
    const parameters = [g.weight(`${path}.weight`, [size]), ...(bias ? [g.weight(`${path}.bias`, [size])] : [])];
    return g.op('LayerNormalization', [x, ...parameters], { attributes: { axis: int(-1), epsilon: float(epsilon) } });
  });
}
