import { existsSync, lstatSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isCommit, repositoryCache, type RepositoryCache } from './hub-cache.ts';
import { listFiles, sumSizes } from './list-files.ts';

/** What goes from the Hugging Face cache when a model, or one revision of it, is removed. */
export interface Removal {
  readonly repository: string;
  /** Snapshots that go. */
  readonly commits: readonly string[];
  /** Branches and tags that point at them, which go too. */
  readonly refs: readonly string[];
  /** Files in the folder of blobs that no other snapshot needs: names. */
  readonly blobs: readonly string[];
  /** Nothing of the repository stays. */
  readonly isWhole: boolean;
  readonly freedBytes: number;
}

/** Undefined where the cache has nothing of the model, or not that revision. */
export function planRemoval(hfHubCache: string, repository: string, revision?: string): Removal | undefined {
  const cache = repositoryCache(hfHubCache, repository);
  if (!existsSync(cache.root)) return undefined;
  const snapshots = listFolder(cache.snapshots);
  const refs = readRefs(cache);
  const wanted = revision === undefined || isCommit(revision) ? revision : refs.get(revision);
  const goes = (commit: string): boolean => revision === undefined || commit === wanted;
  const commits = snapshots.filter(goes);
  if (revision !== undefined && commits.length === 0) return undefined;
  const isWhole = commits.length === snapshots.length;
  const kept = new Set(snapshots.filter((commit) => !goes(commit)).flatMap((commit) => blobsOf(cache, commit)));
  const mine = new Set(commits.flatMap((commit) => blobsOf(cache, commit)));
  // Of a single revision only its own blobs go: what others left behind may be on its way to one of them.
  const blobs = listFolder(cache.blobs).filter((blob) => isWhole || (mine.has(blob) && !kept.has(blob)));
  return {
    repository,
    commits,
    refs: [...refs].filter(([, commit]) => isWhole || commits.includes(commit)).map(([ref]) => ref),
    blobs,
    isWhole,
    freedBytes:
      blobs.reduce((sum, blob) => sum + sizeOf(join(cache.blobs, blob)), 0) +
      plainBytes(cache, commits) +
      (isWhole ? quantizedBytes(cache) : 0),
  };
}

/**
 * Removes refs, then snapshots in one step each, blobs last: a crash in between leaves blobs that are too many, never a
 * snapshot that lacks some.
 */
export function removeSnapshots(hfHubCache: string, { repository, commits, refs, blobs, isWhole }: Removal): void {
  const cache = repositoryCache(hfHubCache, repository);
  for (const ref of refs) rmSync(join(cache.refs, ref), { force: true });
  for (const commit of commits) {
    const hidden = join(cache.root, `${hiddenPrefix}${commit}`);
    rmSync(hidden, { recursive: true, force: true }); // of a crash before
    renameSync(join(cache.snapshots, commit), hidden);
    rmSync(join(cache.root, '.no_exist', commit), { recursive: true, force: true }); // what Python found not to exist
  }
  for (const name of listFolder(cache.root))
    if (name.startsWith(hiddenPrefix)) rmSync(join(cache.root, name), { recursive: true, force: true });
  for (const blob of blobs) rmSync(join(cache.blobs, blob), { force: true });
  if (!isWhole) return;
  rmSync(cache.root, { recursive: true, force: true });
  rmSync(cache.locks, { recursive: true, force: true });
}

const hiddenPrefix = '.removed-';

/** Names of branches, tags and pull requests with the commits they point at. */
function readRefs({ refs }: RepositoryCache): ReadonlyMap<string, string> {
  if (!existsSync(refs)) return new Map();
  const files = readdirSync(refs, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return [relative(refs, file), readFileSync(file, 'latin1').trim()];
    }),
  );
}

function blobsOf({ snapshots }: RepositoryCache, commit: string): readonly string[] {
  return listFiles(join(snapshots, commit)).flatMap(({ blob }) => blob ?? []);
}

/** Files that lie in a snapshot themselves, as on systems without links. */
function plainBytes({ snapshots }: RepositoryCache, commits: readonly string[]): number {
  const files = commits.flatMap((commit) => listFiles(join(snapshots, commit)));
  return sumSizes(files.filter(({ blob }) => blob === undefined));
}

/** Of weights made from the checkpoint, which go with the last snapshot. */
function quantizedBytes({ quantized }: RepositoryCache): number {
  return listFolder(quantized).reduce((sum, name) => sum + sizeOf(join(quantized, name)), 0);
}

function listFolder(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).toSorted() : [];
}

function sizeOf(file: string): number {
  return lstatSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
