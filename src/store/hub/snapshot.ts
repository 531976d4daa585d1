import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { RepositoryCache } from '../hub-cache.ts';
import type { DownloadSystem } from './download-system.ts';
import type { HubFile } from './hub-file.ts';

export interface SnapshotContext {
  readonly cache: RepositoryCache;
  readonly commit: string;
  readonly system: DownloadSystem;
}

/** Gives a blob its name in the folder of the commit: by a relative link, or a copy where the file system has no links. */
export async function linkFile({ cache, commit, system }: SnapshotContext, file: HubFile): Promise<void> {
  const path = join(cache.snapshots, commit, file.path);
  const blob = join(cache.blobs, file.etag);
  const target = relative(dirname(path), blob);
  if (await isLinked(path, { target, sizeBytes: file.sizeBytes })) return;
  await mkdir(dirname(path), { recursive: true });
  await place(cache, path, async (unique) => {
    try {
      await system.symlink(target, unique);
    } catch (error) {
      if (!noLinks.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await copyFile(blob, unique, constants.COPYFILE_FICLONE);
    }
  });
}

/** Python reads the file as it stands: the commit without a line end. */
export async function writeRef(cache: RepositoryCache, revision: string, commit: string): Promise<void> {
  const path = join(cache.refs, revision);
  await mkdir(dirname(path), { recursive: true });
  await place(cache, path, (unique) => writeFile(unique, commit));
}

const noLinks = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EACCES']);

/** Makes a file beside the blobs, where a crash leaves nothing that counts, and renames it into its place. */
async function place(cache: RepositoryCache, path: string, make: (unique: string) => Promise<void>): Promise<void> {
  const unique = join(cache.blobs, `${randomBytes(8).toString('hex')}.embeddings.incomplete`);
  try {
    await make(unique);
    await rename(unique, path);
  } catch (error) {
    await rm(unique, { force: true });
    throw error;
  }
}

async function isLinked(
  path: string,
  { target, sizeBytes }: { readonly target: string; readonly sizeBytes: number },
): Promise<boolean> {
  try {
    return (await readlink(path)) === target && (await stat(path)).size === sizeBytes;
  } catch {
    return false; // no link: written again, which is safe and cheap
  }
}
