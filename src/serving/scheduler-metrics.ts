import type { Metrics } from '../metrics/metrics.ts';
import type { SchedulerObserver } from '../scheduler/scheduler.ts';

/** Turns what the scheduler of one model reports into metrics. */
export function toObserver(metrics: Metrics, model: string, maxBatchTokens: number): Required<SchedulerObserver> {
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
    onRefused: (reason) => metrics.refused.inc({ model, reason }),
    onCancelled: (inputs) => metrics.cancelledInputs.inc(label, inputs),
  };
}
