import type { GraphBuilder, Value } from '../../graph/builder.ts';
import { float } from '../../graph/graph.ts';
import { activations } from '../../graph/layers/activation.ts';

/** `activation_function` of a Dense module: the class of torch.nn it names, made without arguments. */
export const denseActivations = {
  Identity: activations.linear,
  Tanh: activations.tanh,
  GELU: activations.gelu,
  ReLU: activations.relu,
  SiLU: activations.silu,
  Sigmoid: activations.sigmoid,
  ELU: (g, x) => g.op('Elu', [x]),
  LeakyReLU: (g, x) => g.op('LeakyRelu', [x], { attributes: { alpha: float(0.01) } }),
  Softplus: (g, x) => g.op('Softplus', [x]),
  Mish: activations.mish,
} as const satisfies Record<string, (g: GraphBuilder, x: Value) => Value>;

export type DenseActivation = keyof typeof denseActivations;

/** The activation of a class path such as `torch.nn.modules.activation.Tanh`, or undefined when it is not built. */
export function toDenseActivation(classPath: string): DenseActivation | undefined {
  const name = classPath.startsWith('torch.') ? (classPath.split('.').at(-1) ?? '') : '';
  return Object.hasOwn(denseActivations, name) ? (name as DenseActivation) : undefined; // hasOwn just said so
}
