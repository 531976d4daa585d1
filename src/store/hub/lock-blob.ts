import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobLock } from './blob-lock.ts';
import type { DownloadSystem } from './download-system.ts';
import { takeFolderLock } from './folder-lock.ts';

export interface LockOptions {
  /** Folder of the locks of one repository. */
  readonly locks: string;
  readonly etag: string;
  /** Called where another process downloads the blob, before waiting for it. */
  readonly onWait: () => void;
  readonly system: Pick<DownloadSystem, 'sleep' | 'flock'>;
  readonly signal: AbortSignal;
}

/** Waits until no other process downloads the blob: none of Python's either, whose lock this is, where there is flock(2). */
export async function lockBlob({ locks, etag, onWait, system, signal }: LockOptions): Promise<BlobLock> {
  await mkdir(locks, { recursive: true });
  const file = await system.flock(join(locks, `${etag}.lock`), { onWait, signal });
  if (file !== undefined) return { assertHeld: () => {}, release: () => file.close() };
  return takeFolderLock(join(locks, `${etag}.embeddings`), { onWait, sleep: system.sleep, signal });
}
