import type { GraphBuilder, Value } from '../builder.ts';
import { float, string } from '../graph.ts';

/** Activations by the names `hidden_act` has in config.json, as transformers' ACT2FN defines them. */
export const activations = {
  gelu: (g, x) => g.op('Gelu', [x]),
  gelu_python: (g, x) => g.op('Gelu', [x]),
  gelu_new: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  relu: (g, x) => g.op('Relu', [x]),
  silu,
  swish: silu,
  tanh: (g, x) => g.op('Tanh', [x]),
} as const satisfies Record<string, (g: GraphBuilder, x: Value) => Value>;

export type ActivationName = keyof typeof activations;

export function isActivationName(name: unknown): name is ActivationName {
  return typeof name === 'string' && Object.hasOwn(activations, name);
}

function tanhGelu(g: GraphBuilder, x: Value): Value {
  return g.op('Gelu', [x], { attributes: { approximate: string('tanh') } });
}

/** `x sigmoid(x)` in one operator: one pass over memory where Sigmoid and Mul take two. */
function silu(g: GraphBuilder, x: Value): Value {
  return g.op('QuickGelu', [x], { attributes: { alpha: float(1) }, domain: 'com.microsoft' });
}
