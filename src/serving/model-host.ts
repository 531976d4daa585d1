import { ServiceError } from '../errors.ts';
import type { Catalog, ModelCard } from '../models/model-card.ts';
import type { Allowlist, AllowlistEntry } from '../store/allowlist.ts';
import type { PromptWish } from './choose-prompt.ts';
import { findName } from './find-name.ts';
import type { ServedModel } from './served-model.ts';

export interface ModelHostOptions {
  readonly load: (entry: AllowlistEntry) => Promise<ServedModel>;
  /** Adapters and routes of a model: what `input_type` or `task` of a request may choose. None when absent. */
  readonly variantsOf?: (entry: AllowlistEntry) => Promise<readonly string[]>;
  readonly maxLoadedModels: number;
  readonly nowMs: () => number;
  /** The pooling used where an entry names none. */
  readonly pooling: 'mean' | 'model';
  readonly onLoaded?: (entry: AllowlistEntry, seconds: number) => void;
}

/** What is done with a model while it stays in memory. */
export type ModelWork<T> = (model: ServedModel, entry: AllowlistEntry) => Promise<T>;

/** One model that may be in memory; entries that differ only in name and prompt share it. */
interface Slot {
  /** Key of its entry in the allowlist: requests may ask for several variants of one. */
  readonly entryKey: string;
  state: 'loading' | 'ready' | 'failed';
  readonly loading: Promise<ServedModel>;
  model?: ServedModel;
  failure?: { readonly error: unknown; readonly atMs: number };
  users: number;
  lastUsedMs: number;
  isRetired: boolean;
}

const failureRememberedMs = 10_000; // a broken model is not loaded again for every request

/** The allowed models: loads them on first use, one load each however many ask, and unloads the longest unused. */
export class ModelHost implements Catalog {
  readonly #options: ModelHostOptions;
  readonly #slots = new Map<string, Slot>();
  #entries = new Map<string, AllowlistEntry>();
  #listedAt = 0;
  #isClosed = false;

  constructor(options: ModelHostOptions) {
    this.#options = options;
  }

  /** Takes a new allowlist into force. Models no longer on it end when their last request is done. */
  setAllowlist({ entries }: Allowlist): void {
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]));
    this.#listedAt = Math.floor(this.#options.nowMs() / 1000);
    const wanted = new Set(entries.map(slotKey));
    for (const [key, slot] of this.#slots) if (!wanted.has(slot.entryKey)) this.#retire(key, slot);
  }

  list(): readonly ModelCard[] {
    return [...this.#entries.values()].map((entry) => this.#toCard(entry));
  }

  get(name: string): ModelCard | undefined {
    const entry = this.#entries.get(name);
    return entry && this.#toCard(entry);
  }

  /**
   * Runs `work` with the model of that name, in the variant that a request asks for, if any. It stays in memory until
   * the work is done.
   * @throws ServiceError `model_not_found`, `model_limit_reached`, `shutting_down`, and what the load or the work throws
   */
  async use<T>(name: string, work: ModelWork<T>, wish: PromptWish = {}): Promise<T> {
    const entry = this.#entryOf(name);
    const variant = isPlain(wish) ? undefined : await this.#variantFor(entry, wish);
    if (this.#entryOf(name) !== entry) return this.use(name, work, wish); // the list changed meanwhile
    const slot = this.#slotOf(entry, variant); // found or made at once: others that ask share it
    if (slot.failure !== undefined) throw slot.failure.error;
    slot.users++;
    try {
      const model = await slot.loading;
      return await work(model, entry);
    } catch (error) {
      if (isBroken(error)) this.#markFailed(slot, error);
      throw error;
    } finally {
      slot.users--;
      slot.lastUsedMs = this.#options.nowMs();
      if (slot.isRetired && slot.users === 0) void slot.model?.close();
    }
  }

  /** The models in memory or on their way there; failed ones too. */
  listHeld(): readonly Pick<ModelCard, 'id' | 'state'>[] {
    return this.list().flatMap(({ id, state }) => (state === 'available' ? [] : [{ id, state }]));
  }

  /** Process ids of every runner. */
  runnerPids(): readonly number[] {
    return [...this.#slots.values()].flatMap((slot) => slot.model?.runnerPids() ?? []);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const slots = [...this.#slots.values()];
    this.#slots.clear();
    await Promise.all(
      slots.map(async ({ loading }) =>
        loading.then(
          (model) => model.close(),
          () => {},
        ),
      ),
    );
  }

  #entryOf(name: string): AllowlistEntry {
    if (this.#isClosed) throw new ServiceError('shutting_down', { retryAfterSeconds: 1 });
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new ServiceError('model_not_found', { model: name, param: 'model' });
    return entry;
  }

  /** The adapter or route that a request names; what it does not know is left to the choice of a prompt. */
  async #variantFor(entry: AllowlistEntry, { task, inputType }: PromptWish): Promise<string | undefined> {
    const variants = (await this.#options.variantsOf?.(entry)) ?? [];
    const found = [task, inputType].map((wanted) => (wanted === undefined ? undefined : findName(wanted, variants)));
    return found.find((variant) => variant !== undefined);
  }

  #slotOf(base: AllowlistEntry, task = base.task): Slot {
    const entryKey = slotKey(base);
    const entry = task === undefined ? base : { ...base, task };
    const key = slotKey(entry);
    const known = this.#slots.get(key);
    const now = this.#options.nowMs();
    if (known !== undefined && (known.failure === undefined || now - known.failure.atMs < failureRememberedMs))
      return known;
    this.#makeRoom();
    const slot: Slot = {
      entryKey,
      state: 'loading',
      loading: this.#options.load(entry),
      users: 0,
      lastUsedMs: now,
      isRetired: false,
    };
    this.#slots.set(key, slot);
    slot.loading.then(
      (model) => {
        slot.model = model;
        slot.state = 'ready';
        this.#options.onLoaded?.(entry, (this.#options.nowMs() - now) / 1000);
        if (slot.isRetired && slot.users === 0) void model.close();
      },
      (error: unknown) => this.#markFailed(slot, error),
    );
    return slot;
  }

  /** A model fails while it loads, or later when all its runners have given up; it is loaded again after a while. */
  #markFailed(slot: Slot, error: unknown): void {
    if (slot.state === 'failed') return;
    slot.state = 'failed';
    slot.failure = { error, atMs: this.#options.nowMs() };
    void slot.model?.close();
    delete slot.model;
  }

  #makeRoom(): void {
    if (this.#heldCount() < this.#options.maxLoadedModels) return;
    const pinned = new Set([...this.#entries.values()].filter((entry) => entry.pin === true).map(slotKey));
    const unused = [...this.#slots].filter(
      ([, slot]) => slot.state === 'ready' && slot.users === 0 && !pinned.has(slot.entryKey),
    );
    const [oldest] = unused.sort(([, a], [, b]) => a.lastUsedMs - b.lastUsedMs);
    if (oldest === undefined)
      throw new ServiceError('model_limit_reached', { max: this.#options.maxLoadedModels, retryAfterSeconds: 2 });
    this.#retire(...oldest);
  }

  #retire(key: string, slot: Slot): void {
    this.#slots.delete(key);
    slot.isRetired = true;
    if (slot.users === 0) void slot.model?.close();
  }

  /** Those that load count: they will be in memory. */
  #heldCount(): number {
    return [...this.#slots.values()].filter((slot) => slot.state !== 'failed').length;
  }

  #toCard(entry: AllowlistEntry): ModelCard {
    const slot = this.#slots.get(slotKey(entry));
    const failure = slot?.failure?.error;
    return {
      pooling: entry.pooling ?? this.#options.pooling,
      ...slot?.model?.card,
      id: entry.name,
      repository: entry.repository,
      created: this.#listedAt,
      state: slot?.state ?? 'available',
      ...(failure === undefined ? {} : { problem: failure instanceof ServiceError ? failure.message : 'see the log' }),
    };
  }
}

function isPlain({ task, inputType }: PromptWish): boolean {
  return task === undefined && inputType === undefined;
}

function isBroken(error: unknown): boolean {
  return error instanceof ServiceError && error.code === 'model_broken';
}

function slotKey({ repository, revision, pooling, task, dtype }: AllowlistEntry): string {
  return JSON.stringify([repository, revision, pooling, task, dtype]);
}
