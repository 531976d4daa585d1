import { randomBytes } from 'node:crypto';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryCache } from '../hub-cache.ts';
import type { LockedFile } from '../lock-file.ts';
import { LostLockError } from './blob-lock.ts';
import type { DownloadSystem } from './download-system.ts';
import { isIntact, matchesLock } from './file-hash.ts';
import type { HubConnection } from './hub-connection.ts';
import { HubError } from './hub-error.ts';
import type { HubFile } from './hub-file.ts';
import { lockBlob } from './lock-blob.ts';
import { lockedMismatch } from './locked-files.ts';
import { PartialFile } from './partial-file.ts';
import { retry } from './retry.ts';
import { transfer } from './transfer.ts';

export interface BlobContext {
  readonly hub: HubConnection;
  readonly repository: string;
  readonly commit: string;
  readonly cache: RepositoryCache;
  readonly system: DownloadSystem;
  readonly signal: AbortSignal;
}

export interface BlobRequest {
  readonly file: HubFile;
  readonly locked: LockedFile | undefined;
  /** Bytes of it that are on disk. */
  readonly onSize: (sizeBytes: number) => void;
  /** Another process downloads it; `onSize` ends the waiting. */
  readonly onWait: () => void;
}

const lockedFromBytes = 64 * 1024; // below, to fetch it twice costs less than a lock, and there is little to go on with
const maxFailures = 6; // with waits of 1, 2, 4, 8 and 16 s between them
const maxLostLocks = 3;

/**
 * Puts the contents of a file into `blobs/`, under the name of its ETag; only whole and checked ones get there.
 * @throws HubError
 */
export async function downloadBlob(context: BlobContext, request: BlobRequest): Promise<void> {
  const { cache, system, signal } = context;
  const { file, onSize, onWait } = request;
  if (file.sizeBytes < lockedFromBytes) return downloadUnlocked(context, request);
  for (let lostLocks = 0; lostLocks < maxLostLocks; lostLocks++) {
    if (await isPlaced(context, request)) return onSize(file.sizeBytes);
    const lock = await lockBlob({ locks: cache.locks, etag: file.etag, onWait, system, signal });
    try {
      if (await isPlaced(context, request)) return onSize(file.sizeBytes);
      const part = { path: partialPath(cache, file), assertOurs: lock.assertHeld };
      if (lostLocks > 0) await rm(part.path, { force: true }); // two may have written to it
      await downloadTo(part, context, request);
      return;
    } catch (error) {
      if (!(error instanceof LostLockError)) throw error;
    } finally {
      await lock.release();
    }
  }
  throw new HubError(
    'corrupt',
    `The lock of ${file.path} in ${cache.locks} was taken away ${maxLostLocks} times. Check the clock and the file system of the cache folder, or choose another with HF_HUB_CACHE.`,
  );
}

/** Under a name that no other download has. */
async function downloadUnlocked(context: BlobContext, request: BlobRequest): Promise<void> {
  const { file, onSize } = request;
  if (await isPlaced(context, request)) return onSize(file.sizeBytes);
  const unique = `${file.etag}.${randomBytes(8).toString('hex')}.embeddings.incomplete`;
  const path = join(context.cache.blobs, unique);
  try {
    await downloadTo({ path, assertOurs: () => {} }, context, request);
  } finally {
    await rm(path, { force: true });
  }
}

/** What is on disk of it, whole or in part. */
export async function bytesOnDisk(cache: RepositoryCache, file: HubFile): Promise<number> {
  if ((await sizeOf(join(cache.blobs, file.etag))) === file.sizeBytes) return file.sizeBytes;
  return Math.min((await sizeOf(partialPath(cache, file))) ?? 0, file.sizeBytes);
}

/** Not in the form of Python's, which ends in the number of a process. */
function partialPath({ blobs }: RepositoryCache, { etag }: HubFile): string {
  return join(blobs, `${etag}.embeddings.incomplete`);
}

/** A blob that others put there is taken as Python takes it, by its size; with a lock file its contents are checked. */
async function isPlaced({ cache, signal }: BlobContext, { file, locked }: BlobRequest): Promise<boolean> {
  const path = join(cache.blobs, file.etag);
  if ((await sizeOf(path)) !== file.sizeBytes) return false;
  return locked === undefined || ((await isIntact(path, file, signal)) && matchesLock(path, { file, locked, signal }));
}

/** Where a file arrives. */
interface Part {
  readonly path: string;
  /** @throws LostLockError */
  readonly assertOurs: () => void;
}

async function downloadTo(part: Part, context: BlobContext, request: BlobRequest): Promise<void> {
  const { cache, signal } = context;
  const { file, locked } = request;
  const { path, assertOurs } = part;
  for (const isLastTry of [false, true]) {
    await fill(part, context, request);
    // It may be gone: Python's tools offer to delete unfinished files.
    if ((await sizeOf(path)) === file.sizeBytes && (await isIntact(path, file, signal))) {
      const isMismatch = locked !== undefined && !(await matchesLock(path, { file, locked, signal }));
      assertOurs();
      if (isMismatch) {
        await rm(path);
        throw lockedMismatch(context.repository, `${file.path} is another file`);
      }
      await rename(path, join(cache.blobs, file.etag));
      return;
    }
    assertOurs();
    await rm(path, { force: true });
    request.onSize(0);
    if (isLastTry)
      throw new HubError(
        'corrupt',
        `${file.path} of ${context.repository} arrived twice with other contents than the hub names (${file.etag}). Nothing of it was kept. A proxy or the mirror may change files: check HTTPS_PROXY and HF_ENDPOINT.`,
      );
  }
}

/** Goes on from what is there until the file has its size. */
async function fill({ path, assertOurs }: Part, context: BlobContext, request: BlobRequest): Promise<void> {
  const { hub, repository, commit, system, signal } = context;
  const { file, onSize } = request;
  const partial = await PartialFile.open(path, system.write);
  try {
    onSize(partial.sizeBytes);
    const asked = { repository, revision: commit, file: file.path };
    await retry(() => transfer(file, partial, { hub, asked, signal, assertOurs, onSize }), {
      maxFailures,
      progress: () => partial.sizeBytes,
      sleep: system.sleep,
      signal,
    });
    await partial.sync();
  } finally {
    await partial.close();
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size; // of what a link to Python's shared blobs points at
  } catch {
    return undefined; // not there, or a link to nothing
  }
}
