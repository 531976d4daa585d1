/** What a client may know of one allowed model. Fields that are known only after a load are absent before it. */
export interface ModelCard {
  /** The alias where the allowlist gives one, else the Hugging Face id. */
  readonly id: string;
  readonly repository: string;
  readonly state: 'available' | 'downloading' | 'loading' | 'ready' | 'failed';
  /** Unix seconds of the moment the allowlist that holds it was read. */
  readonly created: number;
  readonly architecture?: string;
  readonly dimensions?: number;
  readonly maxTokens?: number;
  /** How token vectors become one vector. */
  readonly pooling: string;
  /** What the model's own files declare, where that differs from `pooling`. */
  readonly declaredPooling?: string;
  /** What token ids in requests stand for: the word of the allowlist or of EMBEDDINGS_TOKEN_IDS. */
  readonly tokenIds: string;
  /** Format of the weights in the file, and of the computation. */
  readonly weights?: string;
  readonly dtype?: string;
  readonly parameters?: number;
  /** Where the files were found, and the commit they are of where that place says it. */
  readonly origin?: 'local' | 'cache' | 'bundled';
  readonly revision?: string;
  readonly replicas?: number;
  readonly threads?: number;
  /** Names that `prompt_name` of a request may have. */
  readonly prompts?: readonly string[];
  /** Names that `task` and `input_type` may have beside those of prompts. */
  readonly tasks?: readonly string[];
  /** The adapter or route of these that is used. */
  readonly task?: string;
  /** The text that the allowlist puts before every input. */
  readonly prompt?: string;
  /** Kept in memory once loaded. */
  readonly pinned?: boolean;
  /** What it takes of the memory for models, at most. */
  readonly memoryBytes?: number;
  /** While it is downloaded. */
  readonly downloadedBytes?: number;
  readonly downloadBytes?: number;
  /** Why the last load failed. */
  readonly problem?: string;
}

export interface Catalog {
  list(): readonly ModelCard[];
  get(id: string): ModelCard | undefined;
}
