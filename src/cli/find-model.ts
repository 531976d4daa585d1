import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import { describePlaces, type Place } from '../store/locate-model.ts';
import { findMissingFiles } from '../store/missing-files.ts';
import { isRepositoryId } from '../store/repository-id.ts';
import { CliError } from './cli-error.ts';
import { openStore, placesOf } from './model-store.ts';

/** What the user called a model, resolved. */
export interface FoundModel {
  /** A Hugging Face id; undefined for a folder. */
  readonly repository: string | undefined;
  /** Its line of the allowlist, where it has one. */
  readonly entry: AllowlistEntry | undefined;
  /** In the order they are tried; the first without a problem serves. */
  readonly places: readonly Place[];
}

/** A model folder, a name of the allowlist, or any Hugging Face id. @throws CliError for anything else */
export function findModel(target: string, config: Config): FoundModel {
  if (hasModelFiles(target) || (!isRepositoryId(target) && isFolder(target)))
    return { repository: undefined, entry: undefined, places: [folderPlace(target)] };
  const store = openStore(config);
  const entry = store.entries.find(({ name }) => name === target);
  const repository = entry?.repository ?? target;
  if (!isRepositoryId(repository)) throw notAModel(target);
  return { repository, entry, places: placesOf(entry ?? { repository }, store) };
}

/** The folder of that model. @throws CliError where its files are not on this machine */
export function findFolder(target: string, config: Config): string {
  const { repository, places } = findModel(target, config);
  if (repository === undefined && !hasModelFiles(target)) throw notAModel(target);
  const found = repository === undefined ? places[0] : places.find(({ problem }) => problem === undefined);
  if (found !== undefined) return found.folder;
  throw new CliError(`no files of ${repository} on this machine; looked in ${describePlaces(places)}`);
}

function hasModelFiles(folder: string): boolean {
  return ['config.json', 'modules.json'].some((name) => existsSync(join(folder, name)));
}

function folderPlace(folder: string): Place {
  const problem = findMissingFiles(folder);
  return { kind: 'local', folder, ...(problem === undefined ? {} : { problem }) };
}

function notAModel(target: string): CliError {
  return new CliError(
    `expected a model folder (with config.json or modules.json) or a Hugging Face id, got ${target}`,
    {
      exitCode: 2,
    },
  );
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
