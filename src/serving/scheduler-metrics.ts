import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import type { SchedulerObserver } from '../scheduler/scheduler.ts';

export interface SchedulerReport {
  readonly metrics: Metrics;
  readonly logger: Pick<Logger, 'error'>;
  readonly model: string;
  readonly maxBatchTokens: number;
}

/** Turns what the scheduler of one model reports into metrics, and into lines of the log where somebody must look. */
export function toObserver({ metrics, logger, model, maxBatchTokens }: SchedulerReport): Required<SchedulerObserver> {
  const label = { model };
  return {
    onQueue: (tokens) => metrics.queueTokens.set(label, tokens),
    onBatch: ({ tokens, rows, paddedTokens, waitedMs }) => {
      metrics.batchTokens.observe(label, tokens);
      metrics.batchInputs.observe(label, rows);
      metrics.batchFillRatio.observe(label, tokens / maxBatchTokens);
      metrics.paddingTokens.inc(label, paddedTokens);
      for (const ms of waitedMs) metrics.queueSeconds.observe(label, ms / 1000);
    },
    onDeduplicated: (inputs) => metrics.dedupedInputs.inc(label, inputs),
    onCancelled: (inputs) => metrics.cancelledInputs.inc(label, inputs),
    onQuarantined: (requestIds) => {
      metrics.quarantinedInputs.inc(label);
      logger.error({ ...label, requestIds }, 'an input stopped its runner twice and is refused for a while');
    },
  };
}
