import type { EmbedRequest } from './request/embed-request.ts';
import type { Vectors } from './vectors/vectors.ts';

/** An input that was cut to the model's length. */
export interface Cut {
  readonly index: number;
  /** Tokens before and after the cut, special tokens included. */
  readonly fullTokens: number;
  readonly keptTokens: number;
}

export interface EmbedResult {
  /** Row `i` belongs to item `i` of the request; already sliced to `dimensions`. */
  readonly vectors: Vectors;
  /** Real tokens, special tokens included. */
  readonly promptTokens: number;
  readonly cuts: readonly Cut[];
}

/**
 * The one hot path: HTTP, the command line and the library all call it.
 * @throws ServiceError
 */
export type Embed = (request: EmbedRequest, signal?: AbortSignal) => Promise<EmbedResult>;
