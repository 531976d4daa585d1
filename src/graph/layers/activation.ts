import type { GraphBuilder, Value } from '../builder.ts';
import { string } from '../graph.ts';

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

function silu(g: GraphBuilder, x: Value): Value {
  return g.op('Mul', [x, g.op('Sigmoid', [x])]);
}
