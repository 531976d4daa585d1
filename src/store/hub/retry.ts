import type { DownloadSystem } from './download-system.ts';
import { HubError } from './hub-error.ts';

export interface RetryOptions {
  /** Failures one after another, without progress between them, until it is given up. */
  readonly maxFailures: number;
  /** A number that grows when a failed attempt was of use. */
  readonly progress?: () => number;
  readonly sleep: DownloadSystem['sleep'];
  readonly signal: AbortSignal;
}

const firstWaitMs = 1000;
const longestWaitMs = 30_000;
const longestRetryAfterSeconds = 15; // longer, and whoever waits for the model is told instead

/** Tries again with growing waits after transient errors, unless the hub asks for a long one. @throws the last error */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { maxFailures, progress = () => 0, sleep, signal } = options;
  let best = progress();
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof HubError) || !error.isTransient || signal.aborted) throw error;
      if (progress() > best) {
        best = progress();
        failures = 1;
      }
      if (failures >= maxFailures || (error.retryAfterSeconds ?? 0) > longestRetryAfterSeconds) throw error;
      await sleep(waitMs(error, failures), signal);
    }
  }
}

function waitMs({ retryAfterSeconds }: HubError, failures: number): number {
  const growing = Math.min(firstWaitMs * 2 ** (failures - 1), longestWaitMs);
  return Math.max(growing, (retryAfterSeconds ?? 0) * 1000);
}
