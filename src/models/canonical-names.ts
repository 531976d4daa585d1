import { WeightError } from '../graph/builder.ts';
import type { TensorIndex, TensorView } from '../store/safetensors.ts';
import type { Architecture } from './architecture.ts';

/**
 * The tensors by the names the architecture uses: the first of its prefixes that any tensor carries is dropped from
 * those that do (heads beside the model carry none), LayerNorm's `gamma` and `beta` of converted TensorFlow checkpoints
 * are `weight` and `bias`, and the architecture renames what it stores under other names.
 * @throws WeightError when two tensors get one name
 */
export function toCanonicalNames(
  tensors: TensorIndex,
  { prefixes, canonicalName = (name) => name }: Pick<Architecture<unknown>, 'prefixes' | 'canonicalName'>,
): TensorIndex {
  const prefix = prefixes.find((candidate) => [...tensors.keys()].some((name) => name.startsWith(candidate))) ?? '';
  const canonical = new Map<string, TensorView>();
  for (const [stored, view] of tensors) {
    const bare = stored.startsWith(prefix) ? stored.slice(prefix.length) : stored;
    const name = canonicalName(
      bare.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias'),
    );
    const other = canonical.get(name);
    if (other !== undefined)
      throw new WeightError(`The checkpoint holds ${name} twice, as ${other.name} and as ${stored}.`);
    canonical.set(name, view);
  }
  return canonical;
}
