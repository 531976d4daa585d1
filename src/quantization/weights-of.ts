import type { Derivation } from '../graph/derivation.ts';
import type { TensorView } from '../store/safetensors.ts';

/** The tensors of the checkpoint that a derivation turns into others. */
export function weightsOf(derivation: Derivation): readonly TensorView[] {
  return derivation.kind === 'int8-linears' ? derivation.linears.map(({ from }) => from) : [derivation.from];
}
