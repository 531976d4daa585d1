import type { TensorIndex } from '../store/safetensors.ts';
import { albert } from './albert.ts';
import type { Architecture } from './architecture.ts';
import { bert } from './bert.ts';
import { toCanonicalNames } from './canonical-names.ts';
import { deberta } from './deberta.ts';
import { distilbert } from './distilbert.ts';
import { electra } from './electra.ts';
import { ernie } from './ernie.ts';
import { eurobert } from './eurobert.ts';
import { gemma2 } from './gemma2.ts';
import { gemma3 } from './gemma3.ts';
import { gte } from './gte.ts';
import { jinaBert } from './jina-bert.ts';
import { jinaEmbeddingsV3 } from './jina-embeddings-v3.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { modernbert } from './modernbert.ts';
import { mpnet } from './mpnet.ts';
import { nomicBert } from './nomic-bert.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';
import { roberta } from './roberta.ts';
import { staticEmbedding } from './static-embedding.ts';
import { t5 } from './t5.ts';
import { xlmRobertaXl } from './xlm-roberta-xl.ts';

/** Every architecture once; the first that matches computes the model. */
export const architectures: Readonly<Record<string, Architecture<unknown>>> = {
  bert,
  roberta,
  mpnet,
  distilbert,
  electra,
  albert,
  ernie,
  deberta,
  'xlm-roberta-xl': xlmRobertaXl,
  'jina-bert': jinaBert,
  'jina-embeddings-v3': jinaEmbeddingsV3,
  'nomic-bert': nomicBert,
  gte,
  modernbert,
  eurobert,
  llama,
  mistral,
  qwen2,
  qwen3,
  gemma2,
  gemma3,
  t5,
  'static-embedding': staticEmbedding,
};

/** An architecture and the tensors by the names it uses. */
export interface FoundArchitecture {
  readonly name: string;
  readonly architecture: Architecture<unknown>;
  readonly tensors: TensorIndex;
}

/** The architecture for this config.json and these tensors, or undefined when none is built yet. @throws WeightError */
export function findArchitecture(
  config: unknown,
  stored: TensorIndex,
  table = architectures,
): FoundArchitecture | undefined {
  const modelType = modelTypeOf(config);
  for (const [name, architecture] of Object.entries(table)) {
    if (!architecture.modelTypes.includes(modelType)) continue;
    const tensors = toCanonicalNames(stored, architecture);
    if (architecture.matches?.(config, tensors) ?? true) return { name, architecture, tensors };
  }
  return undefined;
}

export function modelTypeOf(config: unknown): string {
  const value = typeof config === 'object' && config !== null && 'model_type' in config ? config.model_type : undefined;
  return typeof value === 'string' ? value : 'missing';
}
