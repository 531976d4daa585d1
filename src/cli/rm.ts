import { loadConfig, type ConfigInput } from '../config.ts';
import { findDiskProblem } from '../store/disk-problem.ts';
import type { NamedModel } from '../store/name-model.ts';
import { planRemoval, removeSnapshots } from '../store/remove-snapshots.ts';
import type { CliContext } from './context.ts';
import { formatBytes } from '../util/format-bytes.ts';
import { openStore, placesOf, selectModels, type ModelStore } from './model-store.ts';
import { warnOfUnknown } from './unknown-variables.ts';
import { writeOut } from './write-out.ts';

export interface RmOptions {
  readonly flags: NonNullable<ConfigInput['flags']>;
  /** Only say what would go. */
  readonly dryRun: boolean;
  readonly json: boolean;
}

interface Removed {
  readonly name: string;
  readonly repository: string;
  readonly revision: string | null;
  readonly commits: readonly string[];
  readonly refs: readonly string[];
  readonly freedBytes: number;
  readonly error?: string;
}

/** Deletes models from the Hugging Face cache and from nowhere else. Exit code 1 where one is not in it. */
export async function removeModels(names: readonly string[], options: RmOptions, context: CliContext): Promise<number> {
  const { config, unknown } = loadConfig({ ...context, flags: options.flags });
  await warnOfUnknown(unknown, context.stderr);
  const store = openStore(config);
  const rows: Removed[] = [];
  for (const model of whatGoes(selectModels(names, store))) {
    const row = remove(model, store, options);
    rows.push(row);
    if (!options.json) await writeRow(row, options, context);
  }
  if (options.json) await writeOut(context.stdout, `${JSON.stringify(rows, null, 2)}\n`);
  return rows.some(({ error }) => error !== undefined) ? 1 : 0;
}

/** Of a name without `@revision` every revision goes, whichever one its line of the allowlist names. */
function whatGoes(models: readonly NamedModel[]): readonly NamedModel[] {
  const going = new Map<string, NamedModel>();
  for (const { name, repository, revision } of models) {
    const isOne = name.includes('@') && revision !== undefined;
    const key = `${repository}@${isOne ? revision : ''}`;
    if (!going.has(key)) going.set(key, isOne ? { name, repository, revision } : { name, repository });
  }
  return [...going.values()];
}

function remove(model: NamedModel, store: ModelStore, { dryRun }: RmOptions): Removed {
  const { name, repository, revision } = model;
  const { hfHubCache } = store.config;
  const plan = planRemoval(hfHubCache, repository, revision);
  const row = { name, repository, revision: revision ?? null };
  if (plan === undefined) return { ...row, commits: [], refs: [], freedBytes: 0, error: explainAbsence(model, store) };
  try {
    if (!dryRun) removeSnapshots(hfHubCache, plan);
  } catch (error) {
    const found = findDiskProblem(error, hfHubCache);
    if (found === undefined) throw error;
    return { ...row, commits: [], refs: [], freedBytes: 0, error: `${found.problem} ${makeWritable}` };
  }
  const { commits, refs, freedBytes } = plan;
  return { ...row, commits, refs, freedBytes };
}

const makeWritable = 'Give this user the right to, mount it writable, or name another cache with HF_HUB_CACHE.';

/** Folders of the user are his own to delete, and what is bundled comes back with the package. */
function explainAbsence(model: NamedModel, store: ModelStore): string {
  const other = placesOf(model, store).find(({ kind, problem }) => kind !== 'cache' && problem === undefined);
  const why =
    other === undefined
      ? ''
      : `; ${other.folder} is ${other.kind === 'local' ? 'in the models folder' : 'bundled'}, and rm leaves it alone`;
  return `expected it in the cache ${store.config.hfHubCache}, got nothing there${why}`;
}

async function writeRow(row: Removed, { dryRun }: RmOptions, { stdout, stderr }: CliContext): Promise<void> {
  const { name, commits, freedBytes, error } = row;
  if (error !== undefined) return writeOut(stderr, `error: ${name}: ${error}\n`);
  const what = commits.length === 1 ? `commit ${commits[0]}` : `${commits.length} snapshots`;
  const verb = dryRun ? 'would remove' : 'removed';
  return writeOut(stdout, `${name}: ${verb} ${what}, ${dryRun ? 'freeing' : 'freed'} ${formatBytes(freedBytes)}\n`);
}
