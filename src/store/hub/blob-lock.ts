import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DownloadSystem } from './download-system.ts';

/** Held by the one process that downloads a blob. */
export interface BlobLock {
  /** @throws LostLockError */
  readonly assertHeld: () => void;
  readonly release: () => Promise<void>;
}

/** Another process took the lock for abandoned, as after a machine slept, and may write to the same file. */
export class LostLockError extends Error {}

const staleMs = 20_000; // above the longest time the event loop is blocked while a model loads
const updateMs = 5_000;
const pollMs = 500;

export interface LockOptions {
  /** Folder of the locks of one repository. */
  readonly locks: string;
  readonly etag: string;
  readonly sleep: DownloadSystem['sleep'];
  readonly signal: AbortSignal;
}

/** Waits until no other process of ours downloads the blob. Python locks with flock(2), which Node cannot take part in. */
export async function lockBlob({ locks, etag, sleep, signal }: LockOptions): Promise<BlobLock> {
  const { lock } = (await import('proper-lockfile')).default; // the start of the server does not pay for it
  await mkdir(locks, { recursive: true });
  const path = join(locks, `${etag}.embeddings`); // Python's is `<etag>.lock`
  let isHeld = true;
  for (;;) {
    signal.throwIfAborted();
    try {
      const release = await lock(path, {
        lockfilePath: path,
        realpath: false,
        stale: staleMs,
        update: updateMs,
        onCompromised: () => (isHeld = false),
      });
      return {
        assertHeld: () => {
          if (!isHeld) throw new LostLockError();
        },
        release: async () => {
          if (isHeld) await release();
        },
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      await sleep(pollMs, signal);
    }
  }
}
