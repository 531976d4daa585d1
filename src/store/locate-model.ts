import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findLockProblem } from './compare-with-lock.ts';
import { isCommit, repositoryCache } from './hub-cache.ts';
import type { LockedModel } from './lock-file.ts';
import { findMissingFiles } from './missing-files.ts';
import { isRepositoryId, isRevision } from './repository-id.ts';

export interface LocateOptions {
  /** Branch, tag or commit; `main` when absent. */
  readonly revision?: string | undefined;
  /** What the lock file holds this revision to: its commit is looked for, and files of other names and sizes are a problem. */
  readonly locked?: LockedModel | undefined;
  readonly modelsDir?: string | undefined;
  readonly hfHubCache: string;
  readonly bundledDir: string;
}

/** A complete model folder on this machine. */
export interface LocatedModel {
  readonly kind: 'local' | 'cache' | 'bundled';
  readonly folder: string;
  /** The commit, where the place says it. */
  readonly revision?: string;
}

/** A place looked at, and why it does not serve where it does not. */
export interface Place extends LocatedModel {
  readonly problem?: string;
}

/** The first complete folder of a model: models folder, then Hugging Face cache, then bundled. */
export function locateModel(repository: string, options: LocateOptions): LocatedModel | undefined {
  return listPlaces(repository, options).find((place) => place.problem === undefined);
}

/** Every place of a model in the order they are tried, for `embeddings models` and for error messages. */
export function listPlaces(repository: string, options: LocateOptions): readonly Place[] {
  const { revision, locked, modelsDir, bundledDir } = options;
  // The allowlist lets no other names in; checked again because these become paths.
  if (!isRepositoryId(repository))
    throw new Error(`Expected a Hugging Face id, got ${JSON.stringify(repository)}. This is a bug.`);
  if (revision !== undefined && !isRevision(revision))
    throw new Error(`Expected a revision, got ${JSON.stringify(revision)}. This is a bug.`);
  const places: Place[] = [];
  if (modelsDir !== undefined) places.push(checked({ kind: 'local', folder: join(modelsDir, repository) }, locked));
  places.push(cachePlace(repository, locked?.commit ?? revision ?? 'main', options));
  const bundled: Place = { kind: 'bundled', folder: join(bundledDir, repository) };
  // What comes with the package was made from one commit: it cannot stand for another that the allowlist asks for.
  if (revision !== undefined && existsSync(bundled.folder))
    places.push({ ...bundled, problem: `is not revision ${revision}` });
  else places.push(checked(bundled, locked));
  return places;
}

/** `/folder (why not), /other (why not)` for messages. */
export function describePlaces(places: readonly Place[]): string {
  return places.map(({ folder, problem }) => (problem === undefined ? folder : `${folder} (${problem})`)).join(', ');
}

/** Standard layout: `models--org--name/refs/<revision>` holds the commit that names the folder under `snapshots/`. */
function cachePlace(repository: string, revision: string, { hfHubCache, locked }: LocateOptions): Place {
  const { root, refs, snapshots } = repositoryCache(hfHubCache, repository);
  if (!existsSync(root)) return { kind: 'cache', folder: root, problem: 'no such folder' };
  const commit = isCommit(revision) ? revision : readRef(join(refs, revision));
  if (commit === undefined) return { kind: 'cache', folder: root, problem: `no commit in refs/${revision}` };
  const place: Place = { kind: 'cache', folder: join(snapshots, commit), revision: commit };
  if (locked !== undefined && !existsSync(place.folder))
    return { ...place, problem: 'no such commit, and the lock file wants it' };
  return checked(place, locked);
}

/** A ref holds one commit; anything else, a path for instance, counts as no ref. */
function readRef(file: string): string | undefined {
  try {
    const commit = readFileSync(file, 'utf8').trim();
    return isCommit(commit) ? commit : undefined;
  } catch {
    return undefined; // missing or unreadable: the caller reports it as a place without a commit
  }
}

function checked(place: Place, locked: LockedModel | undefined): Place {
  const problem = findMissingFiles(place.folder) ?? (locked && findLockProblem(place.folder, locked));
  return problem === undefined ? place : { ...place, problem };
}
