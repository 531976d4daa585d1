import { readFileSync } from 'node:fs';
import type { Metrics } from '../metrics/metrics.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';

export interface ScrapedModel {
  readonly model: string;
  readonly runnerPids: () => readonly number[];
  readonly scheduler: Pick<Scheduler, 'oldestWaitMs'>;
}

/** Keeps the gauges of a model that are measured only when somebody looks; gives what ends that. */
export function measureAtScrape(metrics: Metrics, { model, runnerPids, scheduler }: ScrapedModel): () => void {
  const { beforeScrape, queueOldestSeconds, runnerResidentBytes } = metrics;
  const measure = (): void => {
    queueOldestSeconds.set({ model }, scheduler.oldestWaitMs / 1000);
    const bytes = sumResident(runnerPids().flatMap((pid) => readStatus(pid) ?? []));
    if (bytes !== undefined) runnerResidentBytes.set({ model }, bytes);
  };
  beforeScrape.add(measure);
  return () => {
    if (!beforeScrape.delete(measure)) return;
    queueOldestSeconds.remove({ model });
    runnerResidentBytes.remove({ model });
  };
}

/** Of the texts of `/proc/PID/status`: own memory added up, mapped files once, as processes of one model map the same. */
export function sumResident(statuses: readonly string[]): number | undefined {
  if (statuses.length === 0) return undefined;
  const kilobytes = (name: string) =>
    statuses.map((status) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0));
  const own = [...kilobytes('RssAnon'), ...kilobytes('RssShmem')].reduce((sum, size) => sum + size, 0);
  return (own + Math.max(...kilobytes('RssFile'))) * 1024;
}

function readStatus(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return undefined; // it has ended, or this is no Linux
  }
}
