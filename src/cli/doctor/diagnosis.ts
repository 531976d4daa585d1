import type { Precision } from '../../graph/precision.ts';
import type { ArchitectureChoice } from '../../models/explain-architecture.ts';
import type { ModelShape } from '../../models/architecture.ts';
import type { Piece } from '../../tokenizer/native-encoder.ts';
import type { TokenIds } from '../../util/token-ids.ts';
import type { Comparison } from './compare.ts';
import type { MemoryEstimate } from '../../serving/estimate-memory.ts';
import type { TrialRun } from './try-run.ts';
import type { WeightFacts } from './weight-facts.ts';

/** All that is found out about a model. What could not be found out is absent, and `problems` says why. */
export interface Diagnosis {
  readonly target: string;
  readonly files: FileFacts;
  readonly weights?: WeightFacts;
  readonly architecture?: ArchitectureFacts;
  readonly tensors?: TensorFacts;
  readonly limits?: LimitFacts;
  readonly pooling?: PoolingFacts;
  readonly tokenizer?: TokenizerFacts;
  readonly resources?: ResourceFacts;
  readonly run?: TrialRun;
  readonly comparison?: Comparison;
  /** Points that nobody has verified: what the model declares and this service does not follow. */
  readonly unverified: readonly string[];
  /** Whether it gives vectors, tried or not. */
  readonly canRun: boolean;
  /** Why it would not run or what is wrong with its vectors, each with what to do. None: all is well. */
  readonly problems: readonly Problem[];
}

export interface Problem {
  readonly what: string;
  readonly todo: string;
}

export interface FileFacts {
  readonly repository: string | null;
  /** Line of the allowlist that lets it in; null for a folder and for a model that is not on it. */
  readonly allowlistLine: number | null;
  readonly folder: string | null;
  readonly revision: string | null;
  readonly places: readonly { readonly kind: string; readonly folder: string; readonly problem: string | null }[];
}

export interface ArchitectureFacts extends ArchitectureChoice {
  /** Row of the registry; null where none takes the model. */
  readonly name: string | null;
  readonly shape?: ModelShape;
  /** The class that the repository brings itself and that is never run, such as `modeling_qwen.Qwen2Model`. */
  readonly ownCode: string | null;
  /** In whose words config.json is written, as far as it shows. */
  readonly dialect: string;
  /** Where no row takes it: names of its tensors, each layer's once, with `*` for its number. */
  readonly tensorNames?: readonly string[];
  /** Fields of config.json that no code looked at; known once the graph could be built. */
  readonly unreadFields?: readonly string[];
}

export interface TensorFacts {
  readonly used: number;
  /** Left out by rule, such as heads for other work. */
  readonly notNeeded: number;
  /** Left out without a rule. */
  readonly notUsed: readonly string[];
}

export interface LimitFacts {
  /** Tokens that one text may have, special tokens included. */
  readonly maxTokens: number;
  /** What the model can take. */
  readonly ofModel: number;
  /** `max_seq_length` of its sentence-transformers files. */
  readonly declared: number | null;
  /** EMBEDDINGS_MAX_INPUT_TOKENS. */
  readonly configured: number | null;
  /** What token ids in requests stand for: `token_ids=` of its line, or EMBEDDINGS_TOKEN_IDS. */
  readonly tokenIds: TokenIds;
}

export interface PoolingFacts {
  /** `mean` for every model, or `model` for what its files declare. */
  readonly wanted: 'mean' | 'model';
  readonly used: string;
  readonly declared: string | null;
  /** Steps of its sentence-transformers pipeline in order. */
  readonly steps: readonly string[];
  readonly prompts: Readonly<Record<string, string>>;
  readonly defaultPrompt: string | null;
  /** Adapters and routes that `task=` may name. */
  readonly tasks: readonly string[];
}

export interface TokenizerFacts {
  readonly source: string;
  readonly specialTokens: number;
  readonly text: string;
  readonly pieces: readonly Piece[];
}

export interface ResourceFacts {
  readonly precision: Precision;
  readonly provider: string;
  readonly replicas: number;
  readonly threads: number;
  readonly cores: number;
  readonly machineMemoryBytes: number;
  readonly memory: MemoryEstimate;
}
