import type { Batch } from '../scheduler/batch.ts';
import type { Vectors } from '../vectors/vectors.ts';

/** What turns packed tokens into vectors. Implementations run the same contract suite. */
export interface Engine {
  readonly limits: { readonly maxTokens: number; readonly dimensions: number };
  /** Relative work of sequences of these lengths (in tokens) in one batch; the scheduler obeys it. */
  cost(lengths: readonly number[]): number;
  /**
   * Row `i` of the result belongs to sequence `i` of the batch.
   * @throws ServiceError `runner_crashed`, `non_finite_output`
   */
  embed(batch: Batch, signal?: AbortSignal): Promise<Vectors>;
  close(): Promise<void>;
}
