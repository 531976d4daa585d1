import type { GraphBuilder, Value } from '../builder.ts';
import { float, string } from '../graph.ts';

/** Activations by the names `hidden_act` has in config.json, as transformers' ACT2FN defines them. */
export const activations = {
  gelu: (g, x) => g.op('Gelu', [x]),
  gelu_python: (g, x) => g.op('Gelu', [x]),
  gelu_new: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  gelu_accurate: tanhGelu,
  quick_gelu: (g, x) => gated(g, x, 1.702),
  relu: (g, x) => g.op('Relu', [x]),
  relu2: (g, x) => square(g, g.op('Relu', [x])),
  silu: (g, x) => gated(g, x, 1),
  swish: (g, x) => gated(g, x, 1),
  mish: (g, x) => g.op('Mul', [x, g.op('Tanh', [g.op('Softplus', [x])])]),
  sigmoid: (g, x) => g.op('Sigmoid', [x]),
  linear: (_g, x) => x,
  tanh: (g, x) => g.op('Tanh', [x]),
} as const satisfies Record<string, (g: GraphBuilder, x: Value) => Value>;

export type ActivationName = keyof typeof activations;

export function isActivationName(name: unknown): name is ActivationName {
  return typeof name === 'string' && Object.hasOwn(activations, name);
}

function tanhGelu(g: GraphBuilder, x: Value): Value {
  return g.op('Gelu', [x], { attributes: { approximate: string('tanh') } });
}

/** `x sigmoid(alpha x)` in one operator: one pass over memory where Sigmoid and Mul take two. */
function gated(g: GraphBuilder, x: Value, alpha: number): Value {
  return g.op('QuickGelu', [x], { attributes: { alpha: float(alpha) }, domain: 'com.microsoft' });
}

function square(g: GraphBuilder, x: Value): Value {
  return g.op('Mul', [x, x]);
}
