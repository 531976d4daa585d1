import { ServiceError, shuttingDown } from '../errors.ts';
import type { Batch } from '../scheduler/batch.ts';
import { withResolvers } from '../util/with-resolvers.ts';
import type { Vectors } from '../vectors/vectors.ts';
import type { CostModel } from './cost-model.ts';
import type { FromRunner, ToRunner } from './messages.ts';
import type { Replica } from './replica.ts';
import type { OpenChannel, RunnerChannel } from './runner-channel.ts';

export interface RunnerOptions {
  readonly model: string;
  readonly load: Extract<ToRunner, { kind: 'load' }>;
  readonly limits: Replica['limits'];
  readonly cost: CostModel;
  /** Time that one unit of cost may take at most. */
  readonly maxMsPerCost: number;
  readonly openChannel: OpenChannel;
  /** Calls `action` after `ms` unless the function it returns is called first. */
  readonly startTimer: (ms: number, action: () => void) => () => void;
  /** A process ended that nobody asked to end. */
  readonly onCrash?: (reason: string, requestIds: readonly string[]) => void;
  /** The engine would not run a batch. */
  readonly onRefused?: (reason: string, requestIds: readonly string[]) => void;
  /** It will not come back. */
  readonly onGiveUp?: (reason: string) => void;
  readonly onReady?: () => void;
  readonly onRun?: (runMs: number, batch: PendingBatch) => void;
}

/** What is known of a batch that a runner has. */
export interface PendingBatch {
  readonly tokens: number;
  readonly inputs: number;
  readonly requestIds: readonly string[];
}

interface Pending extends PendingBatch {
  readonly resolve: (vectors: Vectors) => void;
  readonly reject: (error: unknown) => void;
  readonly cancelTimer: () => void;
}

const maxLoadMs = 900_000; // 16 GB from a slow disk take less
const maxPauseMs = 300_000; // beyond its work a run may be held up by others; a process that takes longer hangs
const longestTimerMs = 2 ** 31 - 1; // of setTimeout
const backoffMs = [0, 100, 500, 2_000, 10_000, 30_000]; // by the number of crashes since the last good batch
const idleRestartMs = 100; // whoever kills an idle process is not the work: no reason to wait longer each time
const maxLoadAttempts = 5; // a model whose load kills its process this often will not load

/** A runner process that is started again whenever it dies. */
export class RunnerReplica implements Replica {
  readonly limits: Replica['limits'];
  readonly #options: RunnerOptions;
  readonly #pending = new Map<number, Pending>();
  #channel: RunnerChannel | undefined;
  #gone = withResolvers<void>();
  #ready = withResolvers<void>();
  #nextId = 0;
  #crashesSinceGoodBatch = 0;
  #loadAttempts = 0;
  #isLoaded = false;
  #isClosed = false;
  #cancelLoadTimer: () => void = () => {};

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.limits = options.limits;
    this.#start();
  }

  get pid(): number | undefined {
    return this.#channel?.pid;
  }

  ready(): Promise<void> {
    return this.#ready.promise;
  }

  cost(lengths: readonly number[]): number {
    return this.#options.cost(lengths);
  }

  async embed(batch: Batch, signal?: AbortSignal): Promise<Vectors> {
    await this.#ready.promise;
    if (this.#isClosed) throw shuttingDown();
    signal?.throwIfAborted();
    const id = this.#nextId++;
    return new Promise<Vectors>((resolve, reject) => {
      const cancelTimer = this.#options.startTimer(this.#maxRunMs(batch.offsets), () => this.#channel?.kill());
      const { ids, offsets, requestIds = [] } = batch;
      const about = { tokens: ids.length, inputs: offsets.length - 1, requestIds };
      this.#pending.set(id, { ...about, resolve, reject, cancelTimer });
      this.#channel?.send({ kind: 'run', id, ...batch });
    });
  }

  /** Resolves when its process is gone and its memory is the system's again. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#cancelLoadTimer();
      const closed = shuttingDown();
      this.#ready.reject(closed);
      this.#failPending(closed);
      this.#channel?.kill();
    }
    await this.#gone.promise;
  }

  #maxRunMs(offsets: Int32Array): number {
    const lengths = Array.from(offsets.subarray(1), (end, row) => end - offsets[row]!);
    return Math.min(longestTimerMs, maxPauseMs + this.cost(lengths) * this.#options.maxMsPerCost);
  }

  #start(): void {
    this.#isLoaded = false;
    this.#loadAttempts++;
    const channel = this.#options.openChannel({
      message: (message) => this.#onMessage(message),
      exit: (reason) => this.#onExit(reason),
    });
    this.#channel = channel;
    this.#gone = withResolvers();
    this.#cancelLoadTimer = this.#options.startTimer(maxLoadMs, () =>
      this.#giveUp(`its load took more than ${maxLoadMs / 60_000} minutes`),
    );
    channel.send(this.#options.load);
  }

  #onMessage(message: FromRunner): void {
    if (this.#isClosed) return; // sent before it was killed
    switch (message.kind) {
      case 'loaded':
        this.#isLoaded = true;
        this.#cancelLoadTimer();
        this.#loadAttempts = 0;
        this.#options.onReady?.();
        this.#ready.resolve();
        return;
      case 'load-failed':
        this.#giveUp(message.reason);
        return;
      case 'ran': {
        this.#crashesSinceGoodBatch = 0;
        const { data, rows, dim, runMs } = message;
        const pending = this.#take(message.id);
        if (pending !== undefined) this.#options.onRun?.(runMs, pending);
        pending?.resolve({ data, rows, dim });
        return;
      }
      case 'run-failed': {
        const pending = this.#take(message.id);
        this.#options.onRefused?.(message.reason, pending?.requestIds ?? []);
        pending?.reject(new Error(`The engine refused a batch: ${message.reason}`));
        return;
      }
      default:
        message satisfies never;
    }
  }

  #onExit(reason: string): void {
    this.#channel = undefined;
    this.#gone.resolve();
    if (this.#isClosed) return;
    const wasIdle = this.#isLoaded && this.#pending.size === 0;
    if (this.#isLoaded) this.#ready = withResolvers();
    if (!wasIdle) this.#crashesSinceGoodBatch++;
    this.#cancelLoadTimer();
    const requestIds = [...this.#pending.values()].flatMap((pending) => pending.requestIds);
    this.#options.onCrash?.(reason, requestIds);
    this.#failPending(new ServiceError('runner_crashed', { model: this.#options.model, reason, retryAfterSeconds: 1 }));
    if (this.#loadAttempts >= maxLoadAttempts) {
      this.#giveUp(`its process stopped ${maxLoadAttempts} times while loading (${reason})`);
      return;
    }
    const wait = wasIdle
      ? idleRestartMs
      : (backoffMs[Math.min(this.#crashesSinceGoodBatch - 1, backoffMs.length - 1)] ?? 0);
    this.#options.startTimer(wait, () => {
      if (!this.#isClosed) this.#start();
    });
  }

  #giveUp(reason: string): void {
    this.#isClosed = true;
    this.#cancelLoadTimer();
    this.#channel?.kill();
    this.#options.onGiveUp?.(reason);
    const error = new ServiceError('model_broken', { model: this.#options.model, reason });
    this.#ready.reject(error);
    this.#failPending(error);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    pending?.cancelTimer();
    this.#pending.delete(id);
    return pending;
  }

  #failPending(error: unknown): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject, cancelTimer } of all) {
      cancelTimer();
      reject(error);
    }
  }
}
