import type { TensorIndex, TensorView } from '../store/safetensors.ts';

/**
 * The tensors by the names the architecture uses: a prefix that the whole checkpoint carries is dropped, and
 * LayerNorm's `gamma` and `beta` of converted TensorFlow checkpoints are `weight` and `bias`.
 */
export function toCanonicalNames(tensors: TensorIndex, prefixes: readonly string[]): TensorIndex {
  const prefix = prefixes.find((candidate) => [...tensors.keys()].some((name) => name.startsWith(candidate))) ?? '';
  const canonical = new Map<string, TensorView>();
  for (const [name, view] of tensors) {
    const bare = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    canonical.set(bare.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias'), view);
  }
  return canonical;
}
