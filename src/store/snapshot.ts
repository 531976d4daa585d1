import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  copyFile,
  lstat,
  mkdir,
  readlink,
  rename,
  rm,
  stat,
  symlink as realSymlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { linkTarget, type RepositoryCache } from './hub-cache.ts';

export interface Snapshot {
  readonly cache: RepositoryCache;
  readonly commit: string;
  /** Tests make a file system without links of it. */
  readonly symlink?: Symlink | undefined;
}

export type Symlink = (target: string, path: string) => Promise<void>;

/** One file of a snapshot: a name for a blob. */
export interface SnapshotFile {
  /** In the repository. */
  readonly path: string;
  readonly blob: string;
  readonly sizeBytes: number;
  /** Where the bytes are; in the folder of blobs when absent. */
  readonly contents?: string;
}

/** Gives a blob its name in the folder of the commit: by a relative link, or a copy where the file system has no links. */
export async function linkBlob({ cache, commit, symlink = realSymlink }: Snapshot, file: SnapshotFile): Promise<void> {
  const { sizeBytes, blob, contents = join(cache.blobs, blob) } = file;
  const path = join(cache.snapshots, commit, file.path);
  const target = linkTarget(file.path, blob);
  if (await isThere(path, { target, sizeBytes })) return;
  await place(cache, path, async (unique) => {
    try {
      await symlink(target, unique);
    } catch (error) {
      if (!noLinks.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await copyFile(contents, unique, constants.COPYFILE_FICLONE);
    }
  });
}

/** Python reads the file as it stands: the commit without a line end. */
export async function writeRef(cache: RepositoryCache, revision: string, commit: string): Promise<void> {
  await place(cache, join(cache.refs, revision), (unique) => writeFile(unique, commit));
}

const noLinks = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EACCES']);

/** Makes a file beside the blobs, where a crash leaves nothing that counts, and renames it into its place. */
async function place(cache: RepositoryCache, path: string, make: (unique: string) => Promise<void>): Promise<void> {
  await mkdir(cache.blobs, { recursive: true });
  await mkdir(dirname(path), { recursive: true });
  const unique = join(cache.blobs, `${randomBytes(8).toString('hex')}.embeddings.incomplete`);
  try {
    await make(unique);
    await rename(unique, path);
  } catch (error) {
    await rm(unique, { force: true });
    throw error;
  }
}

/** A copy is taken by its size, as a blob is: making it again would cost as much as the weights. */
async function isThere(
  path: string,
  { target, sizeBytes }: { readonly target: string; readonly sizeBytes: number },
): Promise<boolean> {
  try {
    if ((await stat(path)).size !== sizeBytes) return false;
    return (await lstat(path)).isFile() || (await readlink(path)) === target;
  } catch {
    return false; // nothing, or a link to nothing
  }
}
