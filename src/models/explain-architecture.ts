import type { TensorIndex, TensorView } from '../store/safetensors.ts';
import { toCanonicalNames } from './canonical-names.ts';
import { type ArchitectureRow, architectures, modelTypeOf } from './registry.ts';

/** One row of the registry that knows the model's `model_type`, and how it decided. */
export interface Candidate {
  readonly name: string;
  readonly isTaken: boolean;
  /** Tensors it asked for by their canonical names, with whether the checkpoint has them. */
  readonly asked: Readonly<Record<string, boolean>>;
}

export interface ArchitectureChoice {
  readonly modelType: string;
  /** In the order they are tried, up to the one that is taken. */
  readonly candidates: readonly Candidate[];
}

/** Why `findArchitecture` gives what it gives. @throws WeightError */
export async function explainArchitecture(
  config: unknown,
  stored: TensorIndex,
  table: Readonly<Record<string, ArchitectureRow>> = architectures,
): Promise<ArchitectureChoice> {
  const modelType = modelTypeOf(config);
  const candidates: Candidate[] = [];
  for (const [name, { modelTypes, load }] of Object.entries(table)) {
    if (!modelTypes.includes(modelType)) continue;
    const architecture = await load();
    const tensors = new AskedTensors(toCanonicalNames(stored, architecture));
    const isTaken = architecture.matches?.(config, tensors) ?? true;
    candidates.push({ name, isTaken, asked: Object.fromEntries(tensors.asked) });
    if (isTaken) break;
  }
  return { modelType, candidates };
}

/** Remembers which names were asked for. */
class AskedTensors extends Map<string, TensorView> {
  readonly asked = new Map<string, boolean>();

  override has(name: string): boolean {
    const isThere = super.has(name);
    this.asked?.set(name, isThere); // not there yet while the base class fills the map
    return isThere;
  }

  override get(name: string): TensorView | undefined {
    this.has(name);
    return super.get(name);
  }
}
