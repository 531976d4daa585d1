import { ServiceError, shuttingDown } from '../errors.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import { longestRetryAfterSeconds, toRetryAfter } from '../util/retry-after.ts';
import type { Clock } from './clock.ts';
import type { ModelRoom, Occupant } from './model-room.ts';
import type { ServedModel } from './served-model.ts';

/** A model whose files have been read: what it will take, and how it starts. */
export interface PreparedModel {
  /** At most. */
  readonly memoryBytes: number;
  /** Resolves when its first runner is ready. @throws ServiceError */
  start(signal: AbortSignal): Promise<ServedModel>;
}

/** Finds or downloads the files of a model and reads them. @throws ServiceError */
export type PrepareModel = (entry: AllowlistEntry, requestId: string | undefined) => Promise<PreparedModel>;

/** Why a model leaves memory: nobody used it, another needs the place, or the allowlist no longer has it. */
export type UnloadReason = 'idle' | 'room' | 'allowlist';

export interface SlotOptions {
  readonly entry: AllowlistEntry;
  /** Key of its entry in the allowlist: requests may ask for several variants of one. */
  readonly entryKey: string;
  readonly prepare: PrepareModel;
  /** Of the request that asked for it first, if one did. */
  readonly requestId: string | undefined;
  readonly room: ModelRoom;
  readonly clock: Clock;
  /** Asked each time: the allowlist may change it. */
  readonly isPinned: () => boolean;
  /** Takes the slot out of the host's table: new requests get another. */
  readonly onRetire: (slot: ModelSlot, reason: UnloadReason) => void;
  readonly onReady: (slot: ModelSlot, seconds: number) => void;
  readonly onFailed: (slot: ModelSlot, error: unknown) => void;
  /** Its memory is the system's again. */
  readonly onClosed: (slot: ModelSlot, end: { readonly wasReady: boolean }) => void;
}

type Phase = 'preparing' | 'waiting' | 'starting' | 'ready' | 'failed';

const failureRememberedSeconds = 10; // a broken model is not loaded again for every request
const abandonedMs = 15_000; // a place in line that nobody came back for
const unclaimedMs = 10_000; // whoever was told to come back finds the model that was loaded for it
const shortestTurnMs = 2000; // a model that is asked to yield has answered for at least so long,
const turnPerLoadTime = 4; // and for this many times what loading it took

/** One model on its way through memory; entries that differ only in name and prompt share it. */
export class ModelSlot implements Occupant {
  readonly entry: AllowlistEntry;
  readonly entryKey: string;
  /** Settles when the model can be used, or cannot be loaded. */
  readonly loading: Promise<ServedModel>;
  readonly #options: SlotOptions;
  readonly #startMs: number;
  readonly #abort = new AbortController();
  #phase: Phase = 'preparing';
  #phaseMs: number;
  #memoryBytes = 0;
  #model: ServedModel | undefined;
  #failure: { readonly error: Error; readonly untilMs: number } | undefined;
  #users = 0;
  #lastUsedMs: number;
  #isRetired = false;
  #isClaimed = false;
  #cancelAbandon: () => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.entry = options.entry;
    this.entryKey = options.entryKey;
    this.#startMs = options.clock.nowMs();
    this.#phaseMs = this.#startMs;
    this.#lastUsedMs = this.#startMs;
    this.loading = this.#load();
    this.loading.catch((error: unknown) => this.fail(error)); // who waits for it gets it too
  }

  get name(): string {
    return this.entry.name;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Since the phase began. */
  get phaseSeconds(): number {
    return (this.#options.clock.nowMs() - this.#phaseMs) / 1000;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Undefined until it is ready and after it has ended. */
  get model(): ServedModel | undefined {
    return this.#model;
  }

  get lastUsedMs(): number {
    return this.#phase === 'ready' ? Math.max(this.#lastUsedMs, this.#phaseMs) : this.#lastUsedMs;
  }

  get readyMs(): number {
    return this.#phaseMs;
  }

  get isWanted(): boolean {
    return this.#users > 0;
  }

  get isPinned(): boolean {
    return this.#options.isPinned();
  }

  get isIdle(): boolean {
    if (this.#phase !== 'ready' || this.isWanted || this.isPinned) return false;
    return this.#isClaimed || this.#options.clock.nowMs() - this.#phaseMs >= unclaimedMs;
  }

  get isRetired(): boolean {
    return this.#isRetired;
  }

  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  get mayYield(): boolean {
    if (this.#phase !== 'ready' || this.isPinned) return false;
    const turnMs = Math.max(shortestTurnMs, turnPerLoadTime * (this.#phaseMs - this.#startMs));
    return this.#options.clock.nowMs() - this.#phaseMs >= turnMs;
  }

  /** Why it cannot be loaded, while that is remembered; a time to come back is counted from now. */
  get failure(): Error | undefined {
    if (this.#failure === undefined) return undefined;
    const { error, untilMs } = this.#failure;
    if (!(error instanceof ServiceError) || error.details.retryAfterSeconds === undefined) return error;
    const retryAfterSeconds = toRetryAfter((untilMs - this.#options.clock.nowMs()) / 1000);
    return new ServiceError(error.code, { ...error.details, retryAfterSeconds });
  }

  get isFailureForgotten(): boolean {
    return this.#failure !== undefined && this.#options.clock.nowMs() >= this.#failure.untilMs;
  }

  /** The model stays in memory until as many `release` as `hold` have come. */
  hold(): void {
    this.#users++;
    if (this.#phase === 'ready') this.#isClaimed = true;
    if (this.#phase === 'waiting') this.#options.room.review(); // it is wanted again
  }

  release(): void {
    this.#users--;
    this.#lastUsedMs = this.#options.clock.nowMs();
    this.#settle();
  }

  retire(reason: UnloadReason = 'room'): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.#options.onRetire(this, reason);
    if (this.#users === 0) void this.close();
  }

  /** A model fails while it loads, or later when all its runners have given up. */
  fail(cause: unknown): void {
    if (this.#phase === 'failed' || this.#closing !== undefined) return;
    this.#goTo('failed');
    const error = cause instanceof Error ? cause : new Error(String(cause));
    const { retryAfterSeconds = failureRememberedSeconds } = error instanceof ServiceError ? error.details : {};
    const seconds = Math.min(retryAfterSeconds, longestRetryAfterSeconds); // whatever made it fail may be well again
    this.#failure = { error, untilMs: this.#phaseMs + seconds * 1000 };
    this.#options.onFailed(this, error);
    void this.close();
  }

  /** Ends the model, whoever uses it. Resolves when its memory is the system's again. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #load(): Promise<ServedModel> {
    const { prepare, requestId, room, onReady } = this.#options;
    const { signal } = this.#abort;
    const prepared = await prepare(this.entry, requestId);
    this.#memoryBytes = prepared.memoryBytes;
    this.#goTo('waiting');
    this.#settle(); // whoever asked for it may have left meanwhile
    await room.enter(this, signal);
    signal.throwIfAborted();
    this.#goTo('starting');
    const model = await prepared.start(signal);
    if (signal.aborted) {
      await model.close();
      throw signal.reason;
    }
    this.#model = model;
    this.#goTo('ready');
    this.#isClaimed = this.isWanted;
    onReady(this, (this.#phaseMs - this.#startMs) / 1000);
    return model;
  }

  /** What follows when nobody waits for it or uses it any more. */
  #settle(): void {
    const { room, clock } = this.#options;
    if (this.isWanted) return;
    if (this.#isRetired) void this.close();
    else if (this.#phase === 'waiting') {
      this.#cancelAbandon();
      this.#cancelAbandon = clock.after(abandonedMs, () => {
        if (this.#phase === 'waiting' && !this.isWanted) this.retire();
      });
    } else room.review();
  }

  async #end(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    this.#cancelAbandon();
    this.#abort.abort(shuttingDown());
    try {
      await (model === undefined ? this.loading : model.close());
    } catch {
      // of `loading`, and whoever waits for that has it
    } finally {
      this.#options.room.leave(this);
      this.#options.onClosed(this, { wasReady: model !== undefined });
    }
  }

  #goTo(phase: Phase): void {
    this.#phase = phase;
    this.#phaseMs = this.#options.clock.nowMs();
  }
}
