import { existsSync } from 'node:fs';
import { loadConfig, type ConfigInput } from '../config.ts';
import type { Place } from '../store/locate-model.ts';
import type { NamedModel } from '../store/name-model.ts';
import { verifyFolder, type FileReport } from '../store/verify-folder.ts';
import { withByteProgress } from './byte-progress.ts';
import type { CliContext } from './context.ts';
import { lockedOf, openStore, placesOf, selectModels, type ModelStore } from './model-store.ts';
import { runStoppable } from './stoppable.ts';
import { formatTable } from './table.ts';
import { warnOfUnknown } from './unknown-variables.ts';
import { writeOut } from './write-out.ts';

export interface VerifyOptions {
  readonly flags: NonNullable<ConfigInput['flags']>;
  readonly json: boolean;
}

/** One folder of a model; several where one before the folder in use does not serve. */
interface Verified {
  readonly name: string;
  readonly repository: string;
  readonly kind: Place['kind'] | null;
  readonly folder: string | null;
  readonly commit: string | null;
  readonly isLocked: boolean;
  readonly isGood: boolean;
  readonly problem: string | null;
  readonly files: readonly FileReport[];
  readonly todo: string | null;
}

/** Reads every file of models and compares checksums. Exit code 1 where anything is wrong. */
export async function verifyModels(
  names: readonly string[],
  { flags, json }: VerifyOptions,
  context: CliContext,
): Promise<number> {
  const { config, unknown } = loadConfig({ ...context, flags });
  await warnOfUnknown(unknown, context.stderr);
  const store = openStore(config);
  const rows: Verified[] = [];
  await runStoppable({ context }, async (signal) => {
    for (const model of selectModels(names, store)) {
      const places = placesToCheck(model, store);
      const found: Verified[] = names.length > 0 && places.length === 0 ? [notHere(model, store)] : [];
      for (const place of places) found.push(await verifyPlace(model, place, { store, context, signal }));
      rows.push(...found);
      if (!json) for (const row of found) await writeOut(context.stdout, toText(row));
    }
  });
  if (json) await writeOut(context.stdout, `${JSON.stringify(rows, null, 2)}\n`);
  else if (rows.length === 0) await writeOut(context.stdout, 'no model of the allowlist is on this machine\n');
  return rows.every(({ isGood }) => isGood) ? 0 : 1;
}

/** The place in use and those before it that are there but do not serve: they are what went wrong. */
function placesToCheck(model: NamedModel, store: ModelStore): readonly Place[] {
  const places = placesOf(model, store);
  const inUse = places.findIndex(({ problem }) => problem === undefined);
  return places.slice(0, inUse < 0 ? undefined : inUse + 1).filter(({ kind, folder, revision }) => {
    if (kind === 'cache') return revision !== undefined && existsSync(folder); // else other revisions, or none
    return existsSync(folder) && !(kind === 'bundled' && model.revision !== undefined);
  });
}

interface Running {
  readonly store: ModelStore;
  readonly context: CliContext;
  readonly signal: AbortSignal;
}

async function verifyPlace(model: NamedModel, place: Place, { store, context, signal }: Running): Promise<Verified> {
  const locked = lockedOf(model, store);
  const report = await withByteProgress({ stderr: context.stderr, label: model.name }, ({ hooks }) =>
    verifyFolder(place, { locked, signal, ...hooks }),
  );
  const problem = report.problem ?? null;
  const isGood = problem === null && report.files.every(({ state }) => state === 'ok' || state === 'not checked');
  return {
    name: model.name,
    repository: model.repository,
    kind: place.kind,
    folder: place.folder,
    commit: place.revision ?? null,
    isLocked: locked !== undefined,
    isGood,
    problem,
    files: report.files,
    todo: isGood ? null : todoOf(model, place),
  };
}

function notHere(model: NamedModel, store: ModelStore): Verified {
  return {
    name: model.name,
    repository: model.repository,
    kind: null,
    folder: null,
    commit: null,
    isLocked: lockedOf(model, store) !== undefined,
    isGood: false,
    problem: 'no files on this machine',
    files: [],
    todo: `embeddings pull ${model.name}`,
  };
}

function todoOf({ name }: NamedModel, { kind, folder }: Place): string {
  switch (kind) {
    case 'cache':
      return `embeddings rm ${name} && embeddings pull ${name}`;
    case 'local':
      return `bring ${folder} here again`;
    case 'bundled':
      return 'install embeddings again';
    default:
      return kind satisfies never;
  }
}

function toText({ name, folder, commit, isLocked, isGood, problem, files, todo }: Verified): string {
  const about = [...(commit === null ? [] : [`commit ${commit}`]), ...(isLocked ? ['locked'] : [])];
  const head = `${name}: ${isGood ? 'ok' : 'WRONG'}${folder === null ? '' : ` ${folder}`}${about.length === 0 ? '' : ` (${about.join(', ')})`}\n`;
  const table = formatTable(files.map(({ path, state, reason = '' }) => [`  ${state}`, path, reason]));
  return `${head}${table}${problem === null ? '' : `  ${problem}\n`}${todo === null ? '' : `  to mend it: ${todo}\n`}`;
}
