import type { Origin } from '../request/origin.ts';
import type { Refusal } from './admission.ts';
import type { Batch } from './batch.ts';
import type { Entry } from './entry.ts';

/** Told what happens; metrics are made from it. */
export interface SchedulerObserver {
  onQueue?(waitingTokens: number): void;
  onBatch?(batch: StartedBatch): void;
  onBatchEnd?(batch: EndedBatch): void;
  onDeduplicated?(inputs: number): void;
  onCancelled?(inputs: number): void;
  /** An input is refused from now on; these requests had it. */
  onQuarantined?(requestIds: readonly string[]): void;
  onRefused?(reason: Refusal): void;
}

/** One run of a replica that begins. */
interface StartedBatch {
  readonly tokens: number;
  readonly rows: number;
  readonly paddedTokens: number;
  readonly waitedMs: readonly number[];
}

/** One run of a replica, well or not, and the requests it worked for. */
export interface EndedBatch {
  readonly origins: readonly Origin[];
  readonly startedMs: number;
  readonly endedMs: number;
  readonly tokens: number;
  readonly rows: number;
  readonly hasFailed: boolean;
}

export function describeStart(batch: Batch, entries: readonly Entry[], startedMs: number): StartedBatch {
  const longest = entries.reduce((max, entry) => Math.max(max, entry.ids.length), 0);
  return {
    tokens: batch.ids.length,
    rows: entries.length,
    paddedTokens: longest * entries.length - batch.ids.length,
    waitedMs: entries.map((entry) => startedMs - entry.queuedAtMs),
  };
}
