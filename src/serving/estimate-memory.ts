import type { ModelShape } from '../models/architecture.ts';

export interface MemoryEstimate {
  /** Weights as they are computed. */
  readonly weightBytes: number;
  /** Of the weights of all replicas. At most: weights computed as they are stored are mapped from the file and shared. */
  readonly allWeightBytes: number;
  /** Of one run of a full batch in one replica. An estimate. */
  readonly batchBytes: number;
  /** Of one run of the longest text in one replica. An estimate. */
  readonly longestBytes: number;
}

export interface MemoryQuestion {
  /** Of one replica, as they are computed. */
  readonly weightBytes: number;
  readonly replicas: number;
  readonly batchTokens: number;
  readonly maxTokens: number;
  readonly shape: Pick<ModelShape, 'hidden'>;
}

// Rows of `hidden` numbers that live at once in a layer: its input, q, k, v, the context, the sum, and the wide part of
// the MLP twice. Measured: 13.6 on MiniLM (4 x hidden, one matrix), 14.7 to 15.5 on Qwen3-Embedding-8B in 4 bit (3 x
// hidden, gated).
const rowsPerToken = 16;

/** Of a runner process without a model. Measured: 35 to 45 MB of its own. */
export const runnerBytes = 50e6;

/** What a model takes in memory. Weights are exact, the rest is an estimate. */
export function estimateMemory(question: MemoryQuestion): MemoryEstimate {
  const { weightBytes, replicas, batchTokens, maxTokens, shape } = question;
  const float = Float32Array.BYTES_PER_ELEMENT;
  const runBytes = (tokens: number): number => tokens * shape.hidden * rowsPerToken * float;
  return {
    weightBytes,
    allWeightBytes: weightBytes * replicas,
    batchBytes: runBytes(batchTokens),
    longestBytes: runBytes(maxTokens),
  };
}
