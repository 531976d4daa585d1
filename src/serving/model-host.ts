import { modelNotFound, ServiceError, shuttingDown } from '../errors.ts';
import type { Catalog, ModelCard } from '../models/model-card.ts';
import type { Allowlist, AllowlistEntry } from '../store/allowlist.ts';
import type { LocatedModel } from '../store/locate-model.ts';
import type { Origin } from '../request/origin.ts';
import type { TokenIds } from '../util/token-ids.ts';
import type { PromptWish } from './choose-prompt.ts';
import type { Clock } from './clock.ts';
import { findName } from './find-name.ts';
import type { ModelFiles } from './model-files.ts';
import { ModelRoom } from './model-room.ts';
import { ModelSlot, type PrepareModel, type UnloadReason } from './model-slot.ts';
import { notReady } from './not-ready.ts';
import type { ServedModel } from './served-model.ts';
import { toCard } from './to-card.ts';
import { withinMs } from './within.ts';

export interface ModelHostOptions {
  readonly files: Pick<ModelFiles, 'obtain' | 'downloadOf' | 'retain' | 'close'>;
  readonly prepare: PrepareModel;
  /** Adapters and routes of a model whose files are here: what `input_type` or `task` of a request may choose. */
  readonly variantsOf?: (entry: AllowlistEntry, located: LocatedModel) => Promise<readonly string[]>;
  readonly maxLoadedModels: number;
  /** Of all models in memory together. */
  readonly maxModelMemory: number;
  /** Seconds after which a model that nobody uses is unloaded; never when undefined. */
  readonly keepAlive: number | undefined;
  /** How long a request waits for its model; without end when Infinity. */
  readonly loadWaitSeconds: number;
  readonly clock: Clock;
  /** The pooling used where an entry names none. */
  readonly pooling: 'mean' | 'model';
  /** What token ids stand for where an entry does not say it. */
  readonly tokenIds: TokenIds;
  readonly observer?: HostObserver;
}

/** Hears of the life of models. */
export interface HostObserver {
  onLoaded?(entry: AllowlistEntry, load: { readonly seconds: number; readonly memoryBytes: number }): void;
  /** `requestId` is that of the request which asked for it first, if one did. */
  onLoadFailed?(entry: AllowlistEntry, error: unknown, requestId?: string): void;
  onUnload?(entry: AllowlistEntry, reason: UnloadReason): void;
  /** A model that was loaded is gone, and its memory is the system's again. */
  onClosed?(entry: AllowlistEntry, memoryBytes: number): void;
}

/** What is done with a model while it stays in memory. */
export type ModelWork<T> = (model: ServedModel, entry: AllowlistEntry) => Promise<T>;

/** Who waits for a model. */
interface Caller {
  readonly wish: PromptWish;
  /** When it gives up waiting; never at Infinity. */
  readonly deadlineMs: number;
  /** Fires when the caller has left. */
  readonly signal?: AbortSignal | undefined;
  readonly requestId?: string | undefined;
}

/** The allowed models: loads them on first use, one load each however many ask, and unloads those that others need the place of. */
export class ModelHost implements Catalog {
  readonly #options: ModelHostOptions;
  readonly #room: ModelRoom;
  readonly #slots = new Map<string, ModelSlot>();
  /** Every slot that holds a process, those that requests no longer find too. */
  readonly #alive = new Set<ModelSlot>();
  #entries = new Map<string, AllowlistEntry>();
  #createdSeconds = 0;
  #isClosed = false;
  #cancelIdleCheck: () => void = () => {};

  constructor(options: ModelHostOptions) {
    this.#options = options;
    const { maxLoadedModels: maxModels, maxModelMemory: maxBytes, clock } = options;
    this.#room = new ModelRoom({ maxModels, maxBytes, clock });
    this.#checkIdle();
  }

  /** Takes a new allowlist into force. Models no longer on it end when their last request is done. */
  setAllowlist({ entries }: Allowlist): void {
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]));
    this.#createdSeconds = Math.floor(Date.now() / 1000);
    this.#options.files.retain(entries);
    const wanted = new Set(entries.map(slotKey));
    for (const slot of this.#slots.values()) if (!wanted.has(slot.entryKey)) slot.retire('allowlist');
    this.#room.review(); // a pin may have gone
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
   * @throws ServiceError `model_not_found`, `model_loading`, `model_limit_reached`, `shutting_down`, and what the load or
   * the work throws
   */
  async use<T>(
    name: string,
    work: ModelWork<T>,
    wish: PromptWish = {},
    signal?: AbortSignal,
    requestId?: string,
  ): Promise<T> {
    const { clock, loadWaitSeconds } = this.#options;
    return this.#use(name, work, { wish, deadlineMs: clock.nowMs() + loadWaitSeconds * 1000, signal, requestId });
  }

  /** Loads a model that nobody has asked for yet, or whose runners have all given up. @throws what the load throws */
  async load(name: string): Promise<void> {
    await this.#use(name, async (model) => model.check(), { wish: {}, deadlineMs: Infinity });
  }

  /** How many runners of a loaded model can take work; undefined for one that is not loaded. */
  readyRunners(name: string): number | undefined {
    const entry = this.#entries.get(name);
    return entry && this.#slots.get(slotKey(entry))?.model?.readyRunners();
  }

  /** Why a loaded model would refuse a request with a body of so many bytes now; undefined where it might not. */
  refuseEarly(name: string, bytes: number, origin: Origin): ServiceError | undefined {
    const entry = this.#entries.get(name);
    return entry && this.#slots.get(slotKey(entry))?.model?.refuseEarly(bytes, origin);
  }

  /** The models in memory or on their way there; failed ones too. */
  listHeld(): readonly Pick<ModelCard, 'id' | 'state'>[] {
    return this.list().flatMap(({ id, state }) => (state === 'available' ? [] : [{ id, state }]));
  }

  /** Process ids of every runner. */
  runnerPids(): readonly number[] {
    return [...this.#alive].flatMap((slot) => slot.model?.runnerPids() ?? []);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelIdleCheck();
    this.#options.files.close();
    this.#slots.clear();
    await Promise.all([...this.#alive].map(async (slot) => slot.close()));
  }

  async #use<T>(name: string, work: ModelWork<T>, caller: Caller): Promise<T> {
    const entry = this.#entryOf(name);
    const variant = isPlain(caller.wish) ? undefined : await this.#variantFor(entry, caller);
    if (this.#entryOf(name) !== entry) return this.#use(name, work, caller); // the list changed meanwhile
    const slot = this.#slotOf(entry, caller.requestId, variant); // found or made at once: others that ask share it
    if (slot.failure !== undefined) throw slot.failure;
    slot.hold();
    try {
      const model = slot.model ?? (await this.#inTime(slot.loading, caller, { entry, slot }));
      return await work(model, entry);
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'model_broken') slot.fail(error);
      throw error;
    } finally {
      slot.release();
    }
  }

  /** What `promise` gives, or an error that says what the caller still waits for. */
  #inTime<T>(
    promise: Promise<T>,
    { deadlineMs, signal }: Caller,
    { entry, slot }: { readonly entry: AllowlistEntry; readonly slot?: ModelSlot },
  ): Promise<T> {
    const { clock, files } = this.#options;
    const onLate = () => {
      if (!this.#entries.has(entry.name)) return modelNotFound(entry.name); // it went meanwhile
      const held = this.#room.occupants.map(({ name }) => name);
      return notReady(entry.name, { slot, download: files.downloadOf(entry), held });
    };
    return withinMs(promise, { waitMs: Math.max(0, deadlineMs - clock.nowMs()), signal, clock, onLate });
  }

  #entryOf(name: string): AllowlistEntry {
    if (this.#isClosed) throw shuttingDown();
    const entry = this.#entries.get(name);
    if (entry === undefined) throw modelNotFound(name);
    return entry;
  }

  /** The adapter or route that a request names; what it does not know is left to the choice of a prompt. */
  async #variantFor(entry: AllowlistEntry, caller: Caller): Promise<string | undefined> {
    const { files, variantsOf } = this.#options;
    if (variantsOf === undefined) return undefined;
    const key = slotKey(entry);
    const loaded = [...this.#slots.values()].find(({ entryKey, model }) => entryKey === key && model !== undefined);
    const variants =
      loaded === undefined
        ? await variantsOf(entry, await this.#inTime(files.obtain(entry, caller.requestId), caller, { entry })) // only its files say it
        : (loaded.model?.card.tasks ?? []);
    const { task, inputType } = caller.wish;
    const found = [task, inputType].map((wanted) => (wanted === undefined ? undefined : findName(wanted, variants)));
    return found.find((variant) => variant !== undefined);
  }

  #slotOf(base: AllowlistEntry, requestId?: string, task = base.task): ModelSlot {
    const entry = task === undefined ? base : { ...base, task };
    const key = slotKey(entry);
    const known = this.#slots.get(key);
    if (known !== undefined && !known.isFailureForgotten) return known;
    const entryKey = slotKey(base);
    const { prepare, clock, observer } = this.#options;
    const slot = new ModelSlot({
      entry,
      entryKey,
      prepare,
      requestId,
      room: this.#room,
      clock,
      isPinned: () => [...this.#entries.values()].some((line) => line.pin === true && slotKey(line) === entryKey),
      onRetire: (retired, reason) => this.#forget(retired, reason),
      onReady: ({ memoryBytes }, seconds) => observer?.onLoaded?.(entry, { seconds, memoryBytes }),
      onFailed: (_, error) => observer?.onLoadFailed?.(entry, error, requestId),
      onClosed: (closed, { wasReady }) => {
        this.#alive.delete(closed);
        if (wasReady) observer?.onClosed?.(entry, closed.memoryBytes);
      },
    });
    this.#alive.add(slot);
    this.#slots.set(key, slot);
    return slot;
  }

  /** New requests for the model load it again. */
  #forget(slot: ModelSlot, reason: UnloadReason): void {
    const key = slotKey(slot.entry);
    if (this.#slots.get(key) === slot) this.#slots.delete(key);
    if (slot.model !== undefined) this.#options.observer?.onUnload?.(slot.entry, reason);
  }

  #checkIdle(): void {
    const { keepAlive, clock } = this.#options;
    if (keepAlive === undefined) return;
    const keepMs = keepAlive * 1000;
    const idle = [...this.#slots.values()].filter(({ isIdle }) => isIdle);
    const isOver = ({ lastUsedMs }: ModelSlot) => clock.nowMs() - lastUsedMs >= keepMs;
    for (const slot of idle.filter(isOver)) slot.retire('idle');
    this.#cancelIdleCheck = clock.after(Math.min(keepMs / 4, longestIdleCheckMs), () => this.#checkIdle());
  }

  #toCard(entry: AllowlistEntry): ModelCard {
    return toCard(entry, {
      slot: this.#slots.get(slotKey(entry)),
      download: this.#options.files.downloadOf(entry),
      pooling: this.#options.pooling,
      tokenIds: this.#options.tokenIds,
      createdSeconds: this.#createdSeconds,
    });
  }
}

const longestIdleCheckMs = 10_000;

function isPlain({ task, inputType }: PromptWish): boolean {
  return task === undefined && inputType === undefined;
}

function slotKey({ repository, revision, pooling, task, dtype }: AllowlistEntry): string {
  return JSON.stringify([repository, revision, pooling, task, dtype]);
}
