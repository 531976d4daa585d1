import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import type { WriteProgress } from '../quantization/write-file.ts';
import { formatBytes } from '../util/format-bytes.ts';
import type { Clock } from './clock.ts';
import type { DownloadObserver } from './model-files.ts';
import type { HostObserver } from './model-host.ts';

interface ReportOptions {
  readonly metrics: Metrics;
  /** For people: a line of the log, or the note beside a progress bar. */
  readonly say: (message: string) => void;
}

export interface LifeReportOptions extends ReportOptions {
  readonly logger: Pick<Logger, 'error'>;
  /** Called when a model has been loaded, or has gone. */
  readonly freeMemory: () => void;
}

export interface DownloadReportOptions extends ReportOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** Turns what happens to models into metrics and lines for people. */
export function reportLife({ metrics, say, logger, freeMemory }: LifeReportOptions): Required<HostObserver> {
  return {
    onLoaded: ({ name: model }, { seconds, memoryBytes }) => {
      metrics.modelLoadSeconds.observe({ model }, seconds);
      metrics.modelMemoryBytes.inc({ model }, memoryBytes); // several revisions or variants may have one name
      say(`${model} is ready after ${seconds.toFixed(2)} s`);
      freeMemory(); // of reading its files and planning
    },
    onLoadFailed: ({ name: model }, error, requestId) => {
      metrics.modelLoadFailures.inc({ model });
      logger.error({ model, requestId, err: error }, 'could not be loaded');
    },
    onUnload: ({ name: model }, reason) => {
      metrics.modelUnloads.inc({ model, reason });
      say(`${model} is unloaded: ${reasons[reason]}`);
    },
    onClosed: ({ name: model }, memoryBytes) => {
      metrics.modelMemoryBytes.dec({ model }, memoryBytes);
      freeMemory();
    },
  };
}

const reasons = {
  idle: 'nobody used it',
  room: 'another model needs the place',
  allowlist: 'the allowlist has changed',
} as const;

const lineEveryMs = 5000;

/** Says every few seconds how far the making of weights is. */
export function reportQuantising({
  say,
  clock,
}: Omit<DownloadReportOptions, 'metrics'>): (model: string, progress: WriteProgress) => void {
  const saidMs = new Map<string, number>();
  return (model, { doneBytes, totalBytes }) => {
    const now = clock.nowMs();
    const isDone = doneBytes === totalBytes;
    if (!isDone && now - (saidMs.get(model) ?? -Infinity) < lineEveryMs) return;
    if (isDone) saidMs.delete(model);
    else saidMs.set(model, now);
    say(`quantising ${model}: ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`);
  };
}

/** The same for downloads; speaks every few seconds. */
export function reportDownloads({ metrics, say, clock }: DownloadReportOptions): Required<DownloadObserver> {
  const saidMs = new Map<string, number>();
  return {
    onProgress: (model, { doneBytes, totalBytes }) => {
      metrics.downloadedBytes.set({ model }, doneBytes);
      metrics.downloadBytes.set({ model }, totalBytes);
      const now = clock.nowMs();
      if (now - (saidMs.get(model) ?? -Infinity) < lineEveryMs) return;
      saidMs.set(model, now);
      say(`downloading ${model}: ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`);
    },
    onEnd: (model, outcome) => {
      saidMs.delete(model);
      metrics.downloads.inc({ model, outcome });
      metrics.downloadedBytes.remove({ model });
      metrics.downloadBytes.remove({ model });
      if (outcome === 'done') say(`${model} is downloaded`);
    },
  };
}
