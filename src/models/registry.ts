import type { TensorIndex } from '../store/safetensors.ts';
import type { Architecture } from './architecture.ts';
import { bert } from './bert.ts';

/** Every architecture once; the first that matches computes the model. */
export const architectures: Readonly<Record<string, Architecture<unknown>>> = {
  bert,
};

export interface NamedArchitecture {
  readonly name: string;
  readonly architecture: Architecture<unknown>;
}

/** The architecture for this config.json and these tensors, or undefined when none is built yet. */
export function findArchitecture(config: unknown, tensors: TensorIndex): NamedArchitecture | undefined {
  const modelType = modelTypeOf(config);
  for (const [name, architecture] of Object.entries(architectures)) {
    if (architecture.modelTypes.includes(modelType) && (architecture.matches?.(config, tensors) ?? true)) return { name, architecture };
  }
  return undefined;
}

export function modelTypeOf(config: unknown): string {
  const value = typeof config === 'object' && config !== null && 'model_type' in config ? config.model_type : undefined;
  return typeof value === 'string' ? value : 'missing';
}
