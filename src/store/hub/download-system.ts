import type { FileHandle } from 'node:fs/promises';
import { symlink } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { readFreeBytes } from '../disk-room.ts';
import type { Symlink } from '../snapshot.ts';
import { type FlockOptions, takeFlock } from './flock.ts';

/** What a download needs of the machine beside the network; tests give it another clock and other disks. */
export interface DownloadSystem {
  /** @throws the signal's reason */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Undefined where the machine has no flock(2). Closing the file frees it. */
  readonly flock: (path: string, options: FlockOptions) => Promise<FileHandle | undefined>;
  readonly write: (file: FileHandle, bytes: Uint8Array, position: number) => Promise<void>;
  readonly symlink: Symlink;
  /** Bytes that may still be written to the file system of this folder. */
  readonly freeBytes: (folder: string) => Promise<number>;
  readonly timeouts: Timeouts;
}

interface Timeouts {
  /** Until the connection stands, TLS and proxy included. */
  readonly connectMs: number;
  /** From the request to the headers of its answer. */
  readonly answerMs: number;
  /** Without a byte of the body. */
  readonly idleMs: number;
}

export const realSystem: DownloadSystem = {
  sleep: async (ms, signal) => {
    try {
      await setTimeout(ms, undefined, { signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  },
  flock: takeFlock,
  write: async (file, bytes, position) => {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  },
  symlink,
  freeBytes: readFreeBytes,
  timeouts: { connectMs: 10_000, answerMs: 30_000, idleMs: 30_000 },
};
