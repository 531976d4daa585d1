import { ServiceError } from '../errors.ts';
import type { ModelCard } from '../models/model-card.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import type { Download } from './model-files.ts';
import type { ModelSlot } from './model-slot.ts';

export interface CardSources {
  readonly slot: Pick<ModelSlot, 'phase' | 'model' | 'failure' | 'memoryBytes'> | undefined;
  readonly download: Download | undefined;
  /** Where the entry names none. */
  readonly pooling: string;
  readonly tokenIds: string;
  readonly createdSeconds: number;
}

/** What clients see of an entry of the allowlist. */
export function toCard(
  entry: AllowlistEntry,
  { slot, download, pooling, tokenIds, createdSeconds }: CardSources,
): ModelCard {
  const failure = slot?.failure;
  return {
    pooling: entry.pooling ?? pooling,
    ...slot?.model?.card,
    id: entry.name,
    repository: entry.repository,
    created: createdSeconds,
    state: stateOf(slot?.phase, download),
    tokenIds: entry.tokenIds ?? tokenIds,
    ...(entry.prompt === undefined ? {} : { prompt: entry.prompt }),
    ...(entry.pin === true ? { pinned: true } : {}),
    ...(slot?.model === undefined ? {} : { memoryBytes: slot.memoryBytes }),
    ...(download?.totalBytes === undefined
      ? {}
      : { downloadedBytes: download.doneBytes, downloadBytes: download.totalBytes }),
    ...(failure === undefined ? {} : { problem: failure instanceof ServiceError ? failure.message : 'see the log' }),
  };
}

function stateOf(phase: ModelSlot['phase'] | undefined, download: Download | undefined): ModelCard['state'] {
  if (phase === 'ready') return phase; // whatever is downloaded for the next load
  if (download !== undefined) return 'downloading';
  if (phase === undefined) return 'available';
  return phase === 'failed' ? phase : 'loading';
}
