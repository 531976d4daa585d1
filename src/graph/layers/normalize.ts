import type { GraphBuilder, Value } from '../builder.ts';

const minimumNorm = 1e-12; // torch.nn.functional.normalize

/** `x / max(|x|, 1e-12)` over the last axis. x: `[batch, size]`. */
export function normalize(g: GraphBuilder, x: Value): Value {
  return g.scope('normalize', () => {
    const norm = g.op('ReduceL2', [x, g.int64(1)]);
    return g.op('Div', [x, g.op('Max', [norm, g.scalar(minimumNorm)])]);
  });
}
