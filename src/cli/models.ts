import { bundledModelsDir, loadConfig, type Config, type ConfigInput } from '../config.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import { folderSizeBytes } from '../store/folder-size.ts';
import { describePlaces, listPlaces, type Place } from '../store/locate-model.ts';
import { readAllowlist } from '../store/watch-allowlist.ts';
import type { CliContext } from './context.ts';
import { formatTable } from './table.ts';
import { writeOut } from './write-out.ts';

export interface ModelsOptions {
  readonly flags: NonNullable<ConfigInput['flags']>;
  readonly json: boolean;
}

/** Lists the allowlist with where the files of each model are. */
export async function printModels({ flags, json }: ModelsOptions, context: CliContext): Promise<void> {
  const { config } = loadConfig({ ...context, flags });
  const models = readAllowlist(config.supportedModels).entries.map((entry) => inspect(entry, config));
  await writeOut(context.stdout, json ? `${JSON.stringify(models, null, 2)}\n` : toText(models));
}

interface ModelRow {
  readonly name: string;
  readonly repository: string;
  readonly state: 'local' | 'cached' | 'bundled' | 'not downloaded';
  readonly folder: string | null;
  readonly sizeBytes: number | null;
  readonly revision: string | null;
  /** Why each folder tried before did not serve. */
  readonly skipped: readonly string[];
}

const states = { local: 'local', cache: 'cached', bundled: 'bundled' } as const;

function inspect({ name, repository, revision }: AllowlistEntry, config: Config): ModelRow {
  const places = listPlaces(repository, { ...config, revision, bundledDir: bundledModelsDir });
  const found = places.find((place) => place.problem === undefined);
  const isBroken = (place: Place): boolean => place.problem !== undefined && place.problem !== 'no such folder';
  return {
    name,
    repository,
    state: found === undefined ? 'not downloaded' : states[found.kind],
    folder: found?.folder ?? null,
    sizeBytes: found === undefined ? null : folderSizeBytes(found.folder),
    revision: found?.revision ?? null,
    skipped: places.filter(isBroken).map((place) => describePlaces([place])),
  };
}

function toText(models: readonly ModelRow[]): string {
  const rows = models.flatMap((model) => [
    [
      nameOf(model),
      model.state,
      model.sizeBytes === null ? '' : `${(model.sizeBytes / 1e6).toFixed(1)} MB`,
      model.folder ?? '',
    ],
    ...model.skipped.map((place) => ['', 'skipped', '', place]),
  ]);
  return formatTable([['MODEL', 'STATE', 'SIZE', 'FOLDER'], ...rows]);
}

function nameOf({ name, repository }: ModelRow): string {
  return name === repository ? name : `${name} (${repository})`;
}
