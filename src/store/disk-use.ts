import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { listStagings } from './archive/staging.ts';
import { repositoryCache } from './hub-cache.ts';

export interface DiskUse {
  /** Everything of the repository in the cache, each blob once however many revisions have it. */
  readonly diskBytes: number;
  /** Of these, downloads that are not finished. */
  readonly partialBytes: number;
}

/** What a repository takes of the disk in the Hugging Face cache, all its revisions together. */
export function readDiskUse(hfHubCache: string, repository: string): DiskUse {
  const files = plainFiles(repositoryCache(hfHubCache, repository).root);
  return { diskBytes: sumOf(files), partialBytes: sumOf(files.filter(({ name }) => name.endsWith('.incomplete'))) };
}

/** What imports that are running, or were killed, take in a folder of models: it belongs to no model yet. */
export function readStagedBytes(home: string): number {
  return sumOf(listStagings(home).flatMap(plainFiles));
}

interface PlainFile {
  readonly name: string;
  readonly sizeBytes: number;
}

/** Links are left out: those of snapshots lead to blobs, which come too. */
function plainFiles(folder: string): readonly PlainFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => {
      const stat = lstatSync(join(parentPath, name), { throwIfNoEntry: false }); // gone meanwhile: no bytes
      return { name, sizeBytes: stat?.size ?? 0 };
    });
}

function sumOf(files: readonly PlainFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
