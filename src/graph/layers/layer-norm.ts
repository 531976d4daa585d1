import type { GraphBuilder, Value } from '../builder.ts';
import { float, int } from '../graph.ts';

/** Layer normalisation over the last axis with population variance. x: `[tokens, size]`. */
export function layerNorm(
  g: GraphBuilder,
  path: string,
  x: Value,
  { size, epsilon }: { readonly size: number; readonly epsilon: number },
): Value {
  return g.scope(path, () =>
    g.op('LayerNormalization', [x, g.weight(`${path}.weight`, [size]), g.weight(`${path}.bias`, [size])], {
      attributes: { axis: int(-1), epsilon: float(epsilon) },
    }),
  );
}
