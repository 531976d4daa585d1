import type { DownloadSystem } from './download-system.ts';
import { type BlobLock, LostLockError } from './blob-lock.ts';

export interface FolderLockOptions {
  /** Called where another holds it, before waiting. */
  readonly onWait: () => void;
  readonly sleep: DownloadSystem['sleep'];
  readonly signal: AbortSignal;
}

const staleMs = 10_000; // a live holder that is blocked for longer, as while a model loads, loses the lock and begins anew
const updateMs = 3_000;
const pollMs = 500;

/** A folder that is the lock, for machines without flock(2). It is free some seconds after its holder has died. */
export async function takeFolderLock(path: string, { onWait, sleep, signal }: FolderLockOptions): Promise<BlobLock> {
  const { lock } = (await import('proper-lockfile')).default; // the start of the server does not pay for it
  let isHeld = true;
  for (let tries = 0; ; tries++) {
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
      if (tries === 0) onWait();
      await sleep(pollMs, signal);
    }
  }
}
