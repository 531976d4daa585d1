import { existsSync, lstatSync, mkdirSync, readlinkSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isCommit, repositoryCache, repositoryFolderName } from '../hub-cache.ts';
import { replaceFile } from '../replace-file.ts';
import { linkTarget, type ArchivedFolder, type ArchivedModel, type ArchivedSnapshot } from './manifest.ts';
import type { Staging } from './staging.ts';

/** One model that is on this machine after an import. */
export interface ImportedModel {
  readonly model: ArchivedModel;
  readonly folder: string;
}

export interface PlaceOptions {
  readonly homeOf: (model: ArchivedModel) => string;
  readonly staging: Staging;
}

/**
 * Moves what was staged to where it belongs. Blobs first, then the links to them, refs last: whoever looks meanwhile
 * sees a model whole or not at all.
 */
export function placeModels(
  models: readonly ArchivedModel[],
  { homeOf, staging }: PlaceOptions,
): readonly ImportedModel[] {
  const placed = models.map((model) => ({ model, home: homeOf(model), staging }));
  for (const { model, home } of placed) if (model.kind === 'cache') placeBlobs(model, home, staging);
  const imported = placed.map(({ model, home }) => ({
    model,
    folder: model.kind === 'cache' ? placeSnapshot(model, home, staging) : placeFolder(model, home, staging),
  }));
  for (const { model, home } of placed) if (model.kind === 'cache') placeRef(model, home);
  return imported;
}

function placeBlobs({ repository, files }: ArchivedSnapshot, home: string, staging: Staging): void {
  const { blobs } = repositoryCache(home, repository);
  mkdirSync(blobs, { recursive: true });
  for (const blob of new Set(Object.values(files).map((file) => file.blob))) {
    const staged = staging.pathIn(home, join(repositoryFolderName(repository), 'blobs', blob));
    if (existsSync(staged)) renameSync(staged, join(blobs, blob)); // else it was there already
  }
}

/** A new snapshot appears in one step; in one that is there, links are added and mended one by one. */
function placeSnapshot({ repository, commit, files }: ArchivedSnapshot, home: string, staging: Staging): string {
  const snapshot = join(repositoryCache(home, repository).snapshots, commit);
  const isNew = !existsSync(snapshot);
  const staged = staging.pathIn(home, join(repositoryFolderName(repository), 'snapshots', commit));
  for (const [path, { blob }] of Object.entries(files)) {
    const target = linkTarget(path, blob);
    if (!isNew && isLinkTo(join(snapshot, path), target)) continue;
    const link = join(staged, path);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(target, link);
    if (isNew) continue;
    mkdirSync(dirname(join(snapshot, path)), { recursive: true });
    renameSync(link, join(snapshot, path));
  }
  if (isNew) {
    mkdirSync(staged, { recursive: true });
    mkdirSync(dirname(snapshot), { recursive: true });
    renameSync(staged, snapshot);
  }
  return snapshot;
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

function placeRef({ repository, revision, commit }: ArchivedSnapshot, home: string): void {
  if (!isCommit(revision)) replaceFile(join(repositoryCache(home, repository).refs, revision), commit);
}

function isLinkTo(link: string, target: string): boolean {
  return lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true && readlinkSync(link) === target;
}
