import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryCache } from './hub-cache.ts';

export interface DiskUse {
  /** Everything of the repository in the cache, each blob once however many revisions have it. */
  readonly diskBytes: number;
  /** Of these, downloads that are not finished. */
  readonly partialBytes: number;
}

/** What a repository takes of the disk in the Hugging Face cache, all its revisions together. */
export function readDiskUse(hfHubCache: string, repository: string): DiskUse {
  const { root } = repositoryCache(hfHubCache, repository);
  if (!existsSync(root)) return { diskBytes: 0, partialBytes: 0 };
  let diskBytes = 0;
  let partialBytes = 0;
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue; // links of snapshots lead to blobs, which come too
    const sizeBytes = lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
    diskBytes += sizeBytes;
    if (entry.name.endsWith('.incomplete')) partialBytes += sizeBytes;
  }
  return { diskBytes, partialBytes };
}
