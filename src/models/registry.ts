import type { TensorIndex } from '../store/safetensors.ts';
import type { Architecture } from './architecture.ts';
import { toCanonicalNames } from './canonical-names.ts';

/** An architecture whose code loads when a model may be one of its. */
export interface ArchitectureRow {
  /** Values of `model_type` in config.json; not enough on their own, see `matches` of the architecture. */
  readonly modelTypes: readonly string[];
  readonly load: () => Promise<Architecture<unknown>>;
}

/** Every architecture once; the first that matches computes the model. */
export const architectures: Readonly<Record<string, ArchitectureRow>> = {
  bert: { modelTypes: ['bert'], load: async () => (await import('./bert.ts')).bert },
  roberta: {
    modelTypes: ['roberta', 'xlm-roberta', 'camembert', 'bilingual'],
    load: async () => (await import('./roberta.ts')).roberta,
  },
  mpnet: { modelTypes: ['mpnet'], load: async () => (await import('./mpnet.ts')).mpnet },
  distilbert: { modelTypes: ['distilbert'], load: async () => (await import('./distilbert.ts')).distilbert },
  electra: { modelTypes: ['electra'], load: async () => (await import('./electra.ts')).electra },
  albert: { modelTypes: ['albert'], load: async () => (await import('./albert.ts')).albert },
  ernie: { modelTypes: ['ernie'], load: async () => (await import('./ernie.ts')).ernie },
  deberta: { modelTypes: ['deberta-v2'], load: async () => (await import('./deberta.ts')).deberta },
  'xlm-roberta-xl': {
    modelTypes: ['xlm-roberta-xl'],
    load: async () => (await import('./xlm-roberta-xl.ts')).xlmRobertaXl,
  },
  'jina-bert': { modelTypes: ['bert'], load: async () => (await import('./jina-bert.ts')).jinaBert },
  'jina-embeddings-v3': {
    modelTypes: ['xlm-roberta', 'jina_embeddings_v3'],
    load: async () => (await import('./jina-embeddings-v3.ts')).jinaEmbeddingsV3,
  },
  'nomic-bert': { modelTypes: ['nomic_bert'], load: async () => (await import('./nomic-bert.ts')).nomicBert },
  gte: { modelTypes: ['new', 'gte', 'Vietnamese', 'Bilingual'], load: async () => (await import('./gte.ts')).gte },
  modernbert: { modelTypes: ['modernbert'], load: async () => (await import('./modernbert.ts')).modernbert },
  eurobert: { modelTypes: ['eurobert'], load: async () => (await import('./eurobert.ts')).eurobert },
  llama: { modelTypes: ['llama', 'llama_bidirec'], load: async () => (await import('./llama.ts')).llama },
  mistral: { modelTypes: ['mistral'], load: async () => (await import('./mistral.ts')).mistral },
  qwen2: { modelTypes: ['qwen2'], load: async () => (await import('./qwen2.ts')).qwen2 },
  qwen3: { modelTypes: ['qwen3'], load: async () => (await import('./qwen3.ts')).qwen3 },
  gemma2: { modelTypes: ['gemma2', 'codexembed2b'], load: async () => (await import('./gemma2.ts')).gemma2 },
  gemma3: { modelTypes: ['gemma3_text'], load: async () => (await import('./gemma3.ts')).gemma3 },
  t5: { modelTypes: ['t5', 'mt5'], load: async () => (await import('./t5.ts')).t5 },
  'static-embedding': {
    modelTypes: ['model2vec', 'StaticEmbedding'],
    load: async () => (await import('./static-embedding.ts')).staticEmbedding,
  },
};

/** An architecture and the tensors by the names it uses. */
export interface FoundArchitecture {
  readonly name: string;
  readonly architecture: Architecture<unknown>;
  readonly tensors: TensorIndex;
}

/** The architecture for this config.json and these tensors, or undefined when none is built yet. @throws WeightError */
export async function findArchitecture(
  config: unknown,
  stored: TensorIndex,
  table = architectures,
): Promise<FoundArchitecture | undefined> {
  const modelType = modelTypeOf(config);
  for (const [name, { modelTypes, load }] of Object.entries(table)) {
    if (!modelTypes.includes(modelType)) continue;
    const architecture = await load(); // one after the other: most often the first is the one
    const tensors = toCanonicalNames(stored, architecture);
    if (architecture.matches?.(config, tensors) ?? true) return { name, architecture, tensors };
  }
  return undefined;
}

const maxTypeCharacters = 80; // it stands in messages

export function modelTypeOf(config: unknown): string {
  const value = typeof config === 'object' && config !== null && 'model_type' in config ? config.model_type : undefined;
  return typeof value === 'string' ? value.slice(0, maxTypeCharacters) : 'missing';
}
