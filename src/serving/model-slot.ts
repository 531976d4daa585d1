import { ServiceError } from '../errors.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import type { Clock } from './clock.ts';
import type { ModelRoom, Occupant } from './model-room.ts';
import type { ServedModel } from './served-model.ts';

/** A model whose files have been read: what it will take, and how it starts. */
export interface PreparedModel {
  /** At most. */
  readonly memoryBytes: number;
  /** Resolves when its first runner is ready. @throws ServiceError */
  start(): Promise<ServedModel>;
}

/** Finds or downloads the files of a model and reads them. @throws ServiceError */
export type PrepareModel = (entry: AllowlistEntry) => Promise<PreparedModel>;

/** Why a model leaves memory: nobody used it, another needs the place, or the allowlist no longer has it. */
export type UnloadReason = 'idle' | 'room' | 'allowlist';

export interface SlotOptions {
  readonly entry: AllowlistEntry;
  /** Key of its entry in the allowlist: requests may ask for several variants of one. */
  readonly entryKey: string;
  readonly prepare: PrepareModel;
  readonly room: ModelRoom;
  readonly clock: Clock;
  /** Asked each time: the allowlist may change it. */
  readonly isPinned: () => boolean;
  /** Takes the slot out of the host's table: new requests get another. */
  readonly onRetire: (slot: ModelSlot, reason: UnloadReason) => void;
  readonly onReady: (slot: ModelSlot, seconds: number) => void;
  readonly onFailed: (slot: ModelSlot, error: unknown) => void;
  /** Its memory is the system's again. */
  readonly onClosed: (slot: ModelSlot) => void;
}

type Phase = 'preparing' | 'waiting' | 'starting' | 'ready' | 'failed';

const failureRememberedMs = 10_000; // a broken model is not loaded again for every request
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
    return this.#lastUsedMs;
  }

  get readyMs(): number {
    return this.#phaseMs;
  }

  get isIdle(): boolean {
    return this.#phase === 'ready' && this.#users === 0 && !this.#options.isPinned();
  }

  get isRetired(): boolean {
    return this.#isRetired;
  }

  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  get mayYield(): boolean {
    if (this.#phase !== 'ready' || this.#options.isPinned()) return false;
    const turnMs = Math.max(shortestTurnMs, turnPerLoadTime * (this.#phaseMs - this.#startMs));
    return this.#options.clock.nowMs() - this.#phaseMs >= turnMs;
  }

  /** Why it cannot be loaded, while that is remembered; a time to come back is counted from now. */
  get failure(): Error | undefined {
    if (this.#failure === undefined) return undefined;
    const { error, untilMs } = this.#failure;
    if (!(error instanceof ServiceError) || error.details.retryAfterSeconds === undefined) return error;
    const seconds = Math.ceil((untilMs - this.#options.clock.nowMs()) / 1000);
    return new ServiceError(error.code, { ...error.details, retryAfterSeconds: Math.max(1, seconds) });
  }

  get isFailureForgotten(): boolean {
    return this.#failure !== undefined && this.#options.clock.nowMs() >= this.#failure.untilMs;
  }

  /** The model stays in memory until as many `release` as `hold` have come. */
  hold(): void {
    this.#users++;
  }

  release(): void {
    this.#users--;
    this.#lastUsedMs = this.#options.clock.nowMs();
    if (this.#users > 0) return;
    if (this.#isRetired) void this.close();
    else this.#options.room.review();
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
    const { retryAfterSeconds = failureRememberedMs / 1000 } = error instanceof ServiceError ? error.details : {};
    this.#failure = { error, untilMs: this.#phaseMs + retryAfterSeconds * 1000 };
    this.#options.onFailed(this, error);
    void this.close();
  }

  /** Ends the model, whoever uses it. Resolves when its memory is the system's again. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #load(): Promise<ServedModel> {
    const { prepare, room } = this.#options;
    const prepared = await prepare(this.entry);
    this.#memoryBytes = prepared.memoryBytes;
    this.#goTo('waiting');
    await room.enter(this, this.#abort.signal);
    this.#goTo('starting');
    const model = await prepared.start();
    if (this.#abort.signal.aborted) {
      await model.close();
      throw this.#abort.signal.reason;
    }
    this.#model = model;
    this.#goTo('ready');
    this.#options.onReady(this, (this.#phaseMs - this.#startMs) / 1000);
    if (this.#users === 0) room.review(); // whoever asked for it has left meanwhile
    return model;
  }

  async #end(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    this.#abort.abort(new ServiceError('shutting_down', { retryAfterSeconds: 1 }));
    try {
      await (model === undefined ? this.loading : model.close());
    } catch {
      // of `loading`, and whoever waits for that has it
    } finally {
      this.#options.room.leave(this);
      this.#options.onClosed(this);
    }
  }

  #goTo(phase: Phase): void {
    this.#phase = phase;
    this.#phaseMs = this.#options.clock.nowMs();
  }
}
