import { existsSync, lstatSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isCommit, repositoryCache, type RepositoryCache } from '../hub-cache.ts';
import { linkBlob, writeRef, type Symlink } from '../snapshot.ts';
import type { ArchivedFolder, ArchivedModel, ArchivedSnapshot } from './manifest.ts';
import type { Staging } from './staging.ts';

/** One model that is on this machine after an import. */
export interface ImportedModel {
  readonly model: ArchivedModel;
  readonly folder: string;
}

export interface PlaceOptions {
  readonly homeOf: (model: ArchivedModel) => string;
  readonly staging: Staging;
  readonly symlink?: Symlink | undefined;
}

/**
 * Moves what was staged to where it belongs. Everything is made before the first move; then come blobs, the links to
 * them, and refs last: whoever looks meanwhile sees a model whole or not at all.
 */
export async function placeModels(
  models: readonly ArchivedModel[],
  { homeOf, staging, symlink }: PlaceOptions,
): Promise<readonly ImportedModel[]> {
  const goals = models.flatMap((model) => (model.kind === 'cache' ? goalOf(model, homeOf(model), staging) : []));
  for (const goal of goals) await stageSnapshot(goal, symlink);
  for (const goal of goals) placeBlobs(goal);
  for (const goal of goals) placeSnapshot(goal);
  const imported = models.map((model) => {
    if (model.kind === 'folder') return { model, folder: placeFolder(model, homeOf(model), staging) };
    return { model, folder: join(repositoryCache(homeOf(model), model.repository).snapshots, model.commit) };
  });
  for (const { model, cache } of goals)
    if (!isCommit(model.revision)) await writeRef(cache, model.revision, model.commit);
  return imported;
}

interface Goal {
  readonly model: ArchivedSnapshot;
  readonly cache: RepositoryCache;
  /** The same below the folder in which the import gathers files. */
  readonly staged: RepositoryCache;
}

function goalOf(model: ArchivedSnapshot, home: string, staging: Staging): Goal {
  const { repository } = model;
  return {
    model,
    cache: repositoryCache(home, repository),
    staged: repositoryCache(staging.pathIn(home, ''), repository),
  };
}

async function stageSnapshot({ model, cache, staged }: Goal, symlink: Symlink | undefined): Promise<void> {
  const { commit, files } = model;
  mkdirSync(join(staged.snapshots, commit), { recursive: true });
  for (const [path, { blob, sizeBytes }] of Object.entries(files)) {
    const coming = join(staged.blobs, blob);
    const contents = existsSync(coming) ? coming : join(cache.blobs, blob); // else it was there already
    await linkBlob({ cache: staged, commit, symlink }, { path, blob, sizeBytes, contents });
  }
}

function placeBlobs({ model, cache, staged }: Goal): void {
  mkdirSync(cache.blobs, { recursive: true });
  for (const { blob } of Object.values(model.files)) {
    const coming = join(staged.blobs, blob);
    if (existsSync(coming)) renameSync(coming, join(cache.blobs, blob));
  }
}

/** A new snapshot appears in one step; in one that is there, links are added and mended one by one. */
function placeSnapshot({ model: { commit, files }, cache, staged }: Goal): void {
  const snapshot = join(cache.snapshots, commit);
  const coming = join(staged.snapshots, commit);
  if (!existsSync(snapshot)) {
    mkdirSync(cache.snapshots, { recursive: true });
    renameSync(coming, snapshot);
    return;
  }
  for (const path of Object.keys(files)) {
    if (lstatSync(join(coming, path), { throwIfNoEntry: false }) === undefined) continue; // came with another revision
    mkdirSync(dirname(join(snapshot, path)), { recursive: true });
    renameSync(join(coming, path), join(snapshot, path));
  }
}

function placeFolder({ repository }: ArchivedFolder, home: string, staging: Staging): string {
  const folder = join(home, repository);
  const staged = staging.pathIn(home, repository);
  if (!existsSync(folder) && existsSync(staged)) {
    mkdirSync(dirname(folder), { recursive: true });
    renameSync(staged, folder);
  }
  return folder;
}
