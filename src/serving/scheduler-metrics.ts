import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import type { EndedBatch, SchedulerObserver } from '../scheduler/observer.ts';
import type { Tracer } from '../tracing/tracer.ts';

export interface ObserverOptions {
  readonly metrics: Metrics;
  readonly logger: Pick<Logger, 'error'>;
  readonly model: string;
  readonly maxBatchTokens: number;
  readonly tracer: Tracer | undefined;
}

/** Turns what the scheduler of one model reports into metrics and spans, and into lines of the log where somebody must look. */
export function toObserver({ metrics, logger, model, maxBatchTokens, tracer }: ObserverOptions): SchedulerObserver {
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
    ...(tracer === undefined ? {} : { onBatchEnd: (batch: EndedBatch) => traceBatch(tracer, model, batch) }),
    onDeduplicated: (inputs) => metrics.dedupedInputs.inc(label, inputs),
    onRefused: (reason) => metrics.refused.inc({ model, reason }),
    onCancelled: (inputs) => metrics.cancelledInputs.inc(label, inputs),
    onQuarantined: (requestIds) => {
      metrics.quarantinedInputs.inc(label);
      logger.error({ ...label, requestIds }, 'an input stopped its runner twice and is refused for a while');
    },
  };
}

function traceBatch(tracer: Tracer, model: string, batch: EndedBatch): void {
  const spans = batch.origins.flatMap(({ span }) => span ?? []);
  if (spans.length === 0) return; // none of its requests is sampled
  const { startedMs: startMs, endedMs: endMs, rows: inputs, ...rest } = batch;
  tracer.recordBatch({ ...rest, model, spans, startMs, endMs, inputs });
}
