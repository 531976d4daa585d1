import { loadConfig, type ConfigInput } from '../config.ts';
import { folderSizeBytes, listFiles } from '../store/list-files.ts';
import type { DownloadProgress } from '../store/hub/download-model.ts';
import type { HubOptions } from '../store/hub/hub.ts';
import { HubError } from '../store/hub/hub-error.ts';
import { toHub } from '../store/hub/to-hub.ts';
import type { LocatedModel } from '../store/locate-model.ts';
import { findLocked, lockFilePath, readLockFile, withLocked, writeLockFile } from '../store/lock-file.ts';
import { lockModel } from '../store/lock-model.ts';
import type { NamedModel } from '../store/name-model.ts';
import { findWeightProblem } from '../store/verify-folder.ts';
import { withByteProgress } from './byte-progress.ts';
import { CliError } from './cli-error.ts';
import type { CliContext, Download } from './context.ts';
import { formatBytes } from '../util/format-bytes.ts';
import { lockedOf, openStore, placesOf, selectModels, type ModelStore } from './model-store.ts';
import { runStoppable } from './stoppable.ts';
import { warnOfUnknown } from './unknown-variables.ts';
import { writeOut } from './write-out.ts';

export interface PullOptions {
  readonly flags: NonNullable<ConfigInput['flags']>;
  /** Every model of the allowlist. */
  readonly all: boolean;
  /** Write the commit and the checksums of what is pulled to the lock file, whatever that held these models to before. */
  readonly lock: boolean;
  readonly json: boolean;
}

/** One row of the answer. */
interface Pulled {
  readonly name: string;
  readonly repository: string;
  readonly revision: string | null;
  readonly commit: string | null;
  readonly folder: string | null;
  readonly sizeBytes: number | null;
  readonly state: 'downloaded' | 'completed' | 'already here' | 'failed';
  readonly isLocked: boolean;
  readonly error?: string;
}

/** Downloads models one after the other; one that fails holds up no other. Exit code 1 where any failed. */
export async function pullModels(names: readonly string[], options: PullOptions, context: CliContext): Promise<number> {
  const { config, unknown } = loadConfig({ ...context, flags: options.flags });
  await warnOfUnknown(unknown, context.stderr);
  if (options.all === names.length > 0)
    throw new CliError('expected names of models, or --all for every model of the allowlist, and not both', {
      exitCode: 2,
    });
  const opened = openStore(config);
  const store = options.lock ? { ...opened, lock: undefined } : opened;
  const models = selectModels(names, store);
  refuseOffline(models, { store, options });
  const download = await context.loadDownload();
  const hint = '; what has arrived is kept, and the next pull goes on from there';
  return runStoppable({ context, hint }, async (signal) => {
    const pull = new Pull({ store, options, context, download, signal });
    const rows: Pulled[] = [];
    for (const model of models) {
      const row = await pull.pullModel(model);
      rows.push(row);
      if (!options.json) await writeRow(row, context);
    }
    if (options.json) await writeOut(context.stdout, `${JSON.stringify(rows, null, 2)}\n`);
    return rows.some(({ state }) => state === 'failed') ? 1 : 0;
  });
}

interface Surroundings {
  readonly store: ModelStore;
  readonly options: PullOptions;
  readonly context: CliContext;
  readonly download: Download;
  readonly signal: AbortSignal;
}

interface DownloadChanges {
  readonly revision?: string | undefined;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

class Pull {
  readonly #around: Surroundings;
  readonly #hub: HubOptions;
  /** Why the hub could not be asked; it is not asked again about what is here. */
  #away: string | undefined;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#hub = toHub(around.store.config);
  }

  /** Never rejects but for an abort: a failure is a row too. */
  async pullModel(model: NamedModel): Promise<Pulled> {
    const { name, repository, revision = null } = model;
    const { options, signal, store } = this.#around;
    const isLocked = lockedOf(model, store) !== undefined;
    const nothing = { name, repository, revision, commit: null, folder: null, sizeBytes: null };
    try {
      const here = findHere(model, store, options);
      const state = here === undefined ? 'downloaded' : await this.#complete(model, here);
      if (here !== undefined) refuseCutShort(here, store);
      const place = here ?? (await this.#download(model, {}));
      if (options.lock) await this.#lock(model, place);
      return {
        ...nothing,
        commit: place.revision ?? null,
        folder: place.folder,
        sizeBytes: folderSizeBytes(place.folder),
        state,
        isLocked: isLocked || options.lock,
      };
    } catch (error) {
      signal.throwIfAborted();
      return { ...nothing, state: 'failed', isLocked, error: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Fetches what a snapshot lacks beside its weights, as after a stopped download of Python's. It stays at its commit. */
  async #complete(model: NamedModel, { kind, folder, revision }: LocatedModel): Promise<'completed' | 'already here'> {
    const { context, store } = this.#around;
    const isSettled = kind !== 'cache' || store.config.hfHubOffline || lockedOf(model, store) !== undefined;
    if (isSettled) return 'already here';
    const before = JSON.stringify(listFiles(folder));
    let isLacking = false;
    try {
      if (this.#away !== undefined) throw new HubError('unreachable', this.#away);
      const onProgress = ({ doneBytes, totalBytes }: DownloadProgress) => (isLacking ||= doneBytes < totalBytes);
      await this.#download(model, { revision, onProgress });
    } catch (error) {
      if (isLacking || !(error instanceof HubError) || !noAnswer.has(error.kind)) throw error;
      if (error.kind === 'unreachable' || error.kind === 'rate_limited') this.#away = error.message;
      refuseCutShort({ folder }, store, error);
      const note = `${model.name}: taken as it is, the hub could not say whether files are missing: ${error.message}\n`;
      await writeOut(context.stderr, note);
    }
    return JSON.stringify(listFiles(folder)) === before ? 'already here' : 'completed';
  }

  async #download(
    model: NamedModel,
    { revision = model.revision, onProgress }: DownloadChanges,
  ): Promise<LocatedModel> {
    const { context, download, signal, store } = this.#around;
    const locked = lockedOf(model, store);
    return withByteProgress({ stderr: context.stderr, label: model.name }, (progress) =>
      download(model.repository, {
        ...(revision === undefined ? {} : { revision }),
        ...(locked === undefined ? {} : { locked }),
        hfHubCache: store.config.hfHubCache,
        hub: this.#hub,
        onProgress: (state) => {
          onProgress?.(state);
          progress.set(state);
        },
        signal,
      }),
    );
  }

  async #lock(model: NamedModel, { folder, revision: commit }: LocatedModel): Promise<void> {
    const { repository, revision } = model;
    if (commit === undefined)
      throw new Error(`Expected the commit of ${repository}, got a place without. This is a bug.`);
    const { context, signal, store } = this.#around;
    const label = `checksums of ${model.name}`;
    const locked = await withByteProgress({ stderr: context.stderr, label }, ({ hooks }) =>
      lockModel(folder, { repository, revision, commit, signal, ...hooks }),
    );
    const path = lockFilePath(store.config);
    const before = readLockFile(path); // only now: another pull may have written meanwhile
    writeLockFile(path, withLocked(before, locked));
    const old = findLocked(before, repository, revision);
    if (old !== undefined && old.commit !== commit)
      await writeOut(context.stderr, `${model.name}: the lock file had commit ${old.commit}, now ${commit}\n`);
  }
}

/** What says nothing about the files that are here. */
const noAnswer: ReadonlySet<HubError['kind']> = new Set([
  'unreachable',
  'rate_limited',
  'no_access',
  'not_found',
  'bad_answer',
]);

/** The place that spares a download. A lock needs a commit, which only the cache says. */
function findHere(model: NamedModel, store: ModelStore, { lock }: PullOptions): LocatedModel | undefined {
  return placesOf(model, store).find(({ kind, problem }) => problem === undefined && (!lock || kind === 'cache'));
}

/** Without the hub, which knows the sizes of files, only the weights themselves say whether they are whole. */
function refuseCutShort({ folder }: Pick<LocatedModel, 'folder'>, { config }: ModelStore, away?: HubError): void {
  const problem = findWeightProblem(folder);
  if (problem === undefined) return;
  const todo = config.hfHubOffline
    ? 'unset HF_HUB_OFFLINE and pull it again, or bring it here with `embeddings import`'
    : 'pull it again when the hub answers, or remove it with `embeddings rm` and pull it anew';
  const why = away === undefined ? '' : ` The hub could not mend it: ${away.message}`;
  throw new CliError(`expected whole weights in ${folder}, got others: ${problem} To mend it, ${todo}.${why}`);
}

function refuseOffline(
  models: readonly NamedModel[],
  { store, options }: { readonly store: ModelStore; readonly options: PullOptions },
): void {
  if (!store.config.hfHubOffline) return;
  const missing = models.filter((model) => findHere(model, store, options) === undefined).map(({ name }) => name);
  if (missing.length === 0) return;
  throw new CliError(
    `expected every model on this machine, since HF_HUB_OFFLINE is set; missing are ${missing.join(', ')}. ` +
      'Unset it, or bring them here with `embeddings export` and `embeddings import`',
  );
}

async function writeRow({ name, state, folder, commit, sizeBytes, error }: Pulled, context: CliContext): Promise<void> {
  if (state === 'failed') await writeOut(context.stderr, `error: ${name}: ${error}\n`);
  else {
    const what = [formatBytes(sizeBytes ?? 0), ...(commit === null ? [] : [`commit ${commit}`])].join(', ');
    await writeOut(context.stdout, `${name}: ${state} (${what}) in ${folder}\n`);
  }
}
