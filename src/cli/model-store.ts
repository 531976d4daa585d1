import { existsSync } from 'node:fs';
import { bundledModelsDir, type Config } from '../config.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import { listPlaces, type Place } from '../store/locate-model.ts';
import { findLocked, lockFilePath, readLockFile, type LockedModel, type LockFile } from '../store/lock-file.ts';
import { listModels, nameModel, type NamedModel } from '../store/name-model.ts';
import { readAllowlist } from '../store/watch-allowlist.ts';
import { CliError } from './cli-error.ts';

/** The models of this machine as the settings describe them: where they lie, what they are called and held to. */
export interface ModelStore {
  readonly config: Config;
  /** Of the allowlist; none where there is no such file, for commands that take any Hugging Face id. */
  readonly entries: readonly AllowlistEntry[];
  readonly lock: LockFile | undefined;
}

/** @throws AllowlistError, LockFileError */
export function openStore(config: Config): ModelStore {
  const { supportedModels } = config;
  const entries = existsSync(supportedModels) ? readAllowlist(supportedModels).entries : [];
  return { config, entries, lock: readLockFile(lockFilePath(config)) };
}

/** The models of these names once each, or those of the allowlist where none is named. @throws CliError with exit code 2 */
export function selectModels(names: readonly string[], { config, entries }: ModelStore): readonly NamedModel[] {
  if (names.length === 0) return listModels(readAllowlist(config.supportedModels).entries);
  const models = new Map<string, NamedModel>();
  for (const name of names) {
    const model = nameModel(name, entries);
    if (model === undefined)
      throw new CliError(
        `expected names of the allowlist or Hugging Face ids, each perhaps with @revision, got ${name}`,
        {
          exitCode: 2,
        },
      );
    const key = `${model.repository}@${model.revision ?? ''}`;
    if (!models.has(key)) models.set(key, model);
  }
  return [...models.values()];
}

export function lockedOf(
  { repository, revision }: Omit<NamedModel, 'name'>,
  { lock }: ModelStore,
): LockedModel | undefined {
  return findLocked(lock, repository, revision);
}

/** Where the files of a model may be, in the order in which they are tried. */
export function placesOf(model: Omit<NamedModel, 'name'>, store: ModelStore): readonly Place[] {
  const { repository, revision } = model;
  const locked = lockedOf(model, store);
  return listPlaces(repository, { ...store.config, revision, locked, bundledDir: bundledModelsDir });
}
