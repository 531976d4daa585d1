import { loadConfig, type ConfigInput } from '../config.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import { readDiskUse, readStagedBytes } from '../store/disk-use.ts';
import { folderSizeBytes } from '../store/list-files.ts';
import { describePlaces, type Place } from '../store/locate-model.ts';
import { readAllowlist } from '../store/watch-allowlist.ts';
import type { CliContext } from './context.ts';
import { formatBytes } from '../util/format-bytes.ts';
import { lockedOf, openStore, placesOf, type ModelStore } from './model-store.ts';
import { formatTable } from './table.ts';
import { writeOut } from './write-out.ts';

export interface ModelsOptions {
  readonly flags: NonNullable<ConfigInput['flags']>;
  readonly json: boolean;
}

/** Lists the allowlist with where the files of each model are. */
export async function printModels({ flags, json }: ModelsOptions, context: CliContext): Promise<void> {
  const { config } = loadConfig({ ...context, flags });
  const { entries } = readAllowlist(config.supportedModels);
  const store = openStore(config);
  const models = entries.map((entry) => inspect(entry, store));
  await writeOut(context.stdout, json ? `${JSON.stringify(models, null, 2)}\n` : toText(models, store));
}

interface ModelRow {
  readonly name: string;
  readonly repository: string;
  readonly state: 'local' | 'cached' | 'bundled' | 'not downloaded';
  readonly folder: string | null;
  readonly sizeBytes: number | null;
  /** The commit, where the place says it. */
  readonly commit: string | null;
  /** The same, as `GET /v1/models` calls it. */
  readonly revision: string | null;
  /** Of the repository in the cache with all its revisions, whichever place is in use. */
  readonly diskBytes: number;
  /** Of these, downloads that are not finished. */
  readonly partialBytes: number;
  readonly isLocked: boolean;
  /** Why each folder tried before did not serve. */
  readonly skipped: readonly string[];
}

const states = { local: 'local', cache: 'cached', bundled: 'bundled' } as const;

function inspect(entry: AllowlistEntry, store: ModelStore): ModelRow {
  const { name, repository } = entry;
  const places = placesOf(entry, store);
  const found = places.find((place) => place.problem === undefined);
  const isBroken = (place: Place): boolean => place.problem !== undefined && place.problem !== 'no such folder';
  return {
    name,
    repository,
    state: found === undefined ? 'not downloaded' : states[found.kind],
    folder: found?.folder ?? null,
    sizeBytes: found === undefined ? null : folderSizeBytes(found.folder),
    commit: found?.revision ?? null,
    revision: found?.revision ?? null,
    ...readDiskUse(store.config.hfHubCache, repository),
    isLocked: lockedOf(entry, store) !== undefined,
    skipped: places.filter(isBroken).map((place) => describePlaces([place])),
  };
}

function toText(models: readonly ModelRow[], store: ModelStore): string {
  const rows = models.flatMap((model) => [
    [
      nameOf(model),
      model.state,
      model.sizeBytes === null ? '' : formatBytes(model.sizeBytes),
      describeDisk(model),
      model.revision?.slice(0, 8) ?? '',
      model.isLocked ? 'yes' : '',
      model.folder ?? '',
    ],
    ...model.skipped.map((place) => ['', 'skipped', '', '', '', '', place]),
  ]);
  return (
    formatTable([['MODEL', 'STATE', 'SIZE', 'IN CACHE', 'COMMIT', 'LOCKED', 'FOLDER'], ...rows]) + total(models, store)
  );
}

function describeDisk({ diskBytes, partialBytes }: ModelRow): string {
  if (diskBytes === 0) return '';
  return `${formatBytes(diskBytes)}${partialBytes === 0 ? '' : ` (${formatBytes(partialBytes)} partial)`}`;
}

/** Several names of a repository share its files. */
function total(models: readonly ModelRow[], { config }: ModelStore): string {
  const repositories = new Map(models.map((model) => [model.repository, model.diskBytes]));
  const diskBytes = [...repositories.values()].reduce((sum, bytes) => sum + bytes, 0);
  const here = models.filter(({ folder }) => folder !== null).length;
  const homes = new Set([config.hfHubCache, ...(config.modelsDir === undefined ? [] : [config.modelsDir])]);
  const stagedBytes = [...homes].reduce((sum, home) => sum + readStagedBytes(home), 0);
  const staged = stagedBytes === 0 ? '' : `, ${formatBytes(stagedBytes)} of imports that have not ended`;
  return `${here} of ${models.length} models on this machine, ${formatBytes(diskBytes)} in the cache${staged}\n`;
}

function nameOf({ name, repository }: ModelRow): string {
  return name === repository ? name : `${name} (${repository})`;
}
