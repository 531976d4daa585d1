import { ServiceError } from '../errors.ts';
import { formatBytes } from '../util/format-bytes.ts';
import { longestRetryAfterSeconds, toRetryAfter } from '../util/retry-after.ts';
import type { Download } from './model-files.ts';
import type { ModelSlot } from './model-slot.ts';

export interface Waiting {
  readonly slot: Pick<ModelSlot, 'phase' | 'phaseSeconds' | 'memoryBytes'> | undefined;
  readonly download: Download | undefined;
  /** Names of the models in memory. */
  readonly held: readonly string[];
}

const roomRetrySeconds = 5;
const hubRetrySeconds = 5;
const loadBytesPerSecond = 300e6; // slow disks; half of what was measured with cold files

/** What a request gets that has waited long enough for its model: what it waits for, and when to come back. */
export function notReady(model: string, { slot, download, held }: Waiting): ServiceError {
  if (download !== undefined)
    return new ServiceError('model_loading', { model, doing: describe(download), retryAfterSeconds: left(download) });
  if (slot?.phase === 'waiting') {
    const names = held.length === 0 ? 'none' : held.join(', ');
    return new ServiceError('model_limit_reached', { model, held: names, retryAfterSeconds: roomRetrySeconds });
  }
  const expected = 1 + (slot?.memoryBytes ?? 0) / loadBytesPerSecond - (slot?.phaseSeconds ?? 0);
  return new ServiceError('model_loading', {
    model,
    doing: 'it is being loaded',
    retryAfterSeconds: toRetryAfter(expected),
  });
}

function describe({ doneBytes, totalBytes }: Download): string {
  if (totalBytes === undefined) return 'the hub is asked for its files';
  return `it is being downloaded, ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)} are here`;
}

function left({ doneBytes, totalBytes, bytesPerSecond }: Download): number {
  if (totalBytes === undefined) return hubRetrySeconds;
  return bytesPerSecond === undefined
    ? longestRetryAfterSeconds
    : toRetryAfter((totalBytes - doneBytes) / bytesPerSecond);
}
