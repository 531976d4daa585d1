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
  /** Time that one unit of cost may take at most, as long as nothing is known of how long it takes here. */
  readonly maxMsPerCost: number;
  /** How long a run may be held up by others beyond its work before it counts as hanging; 30 s when absent. */
  readonly longestPauseMs?: number | undefined;
  readonly openChannel: OpenChannel;
  /** Calls `action` after `ms` unless the function it returns is called first. */
  readonly startTimer: (ms: number, action: () => void) => () => void;
  /** A process ended that nobody asked to end. */
  readonly onCrash?: (reason: string, requestIds: readonly string[]) => void;
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
  readonly cost: number;
  readonly resolve: (vectors: Vectors) => void;
  readonly reject: (error: unknown) => void;
  readonly cancelTimer: () => void;
}

const maxLoadMs = 900_000; // 16 GB from a slow disk take less
const firstPauseMs = 300_000; // the first run reads the weights from disk
const longestPauseMs = 30_000; // clients wait no longer for one process to be scheduled, paged in, or continued
const slowdown = 5; // a run may take so many times what such work has taken
const lastChanceMs = 1000; // a server that was stopped itself reads what came meanwhile before it judges
const rateSmoothing = 0.2; // share of the newest run in the time for one unit of cost
const longestTimerMs = 2 ** 31 - 1; // of setTimeout
const backoffMs = [0, 100, 500, 2_000, 10_000, 30_000]; // by the number of crashes since the last good batch
const idleRestartMs = 100; // whoever kills an idle process is not the work: no reason to wait longer each time
const unstartedRestartMs = 2_000; // at most: file descriptors or memory for a process may be free again any time
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
  /** Of the runs of this model here; undefined before the first. */
  #msPerCost: number | undefined;
  /** Why the process was killed from here: for clients, and in full for the log. */
  #killed: { readonly reason: string; readonly detail?: string } | undefined;
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
    const cost = this.#costOf(batch.offsets);
    return new Promise<Vectors>((resolve, reject) => {
      const { ids, offsets, requestIds = [] } = batch;
      const about = { tokens: ids.length, inputs: offsets.length - 1, requestIds };
      this.#pending.set(id, { ...about, cost, resolve, reject, cancelTimer: this.#watch(cost) });
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

  #costOf(offsets: Int32Array): number {
    return this.cost(Array.from(offsets.subarray(1), (end, row) => end - offsets[row]!));
  }

  /** Kills the process if a run of that cost takes far too long; the answer stops the watch. */
  #watch(cost: number): () => void {
    const { startTimer } = this.#options;
    const maxMs = this.#maxRunMs(cost);
    let cancel = startTimer(maxMs, () => {
      cancel = startTimer(lastChanceMs, () =>
        this.#kill({ reason: `it did not answer within ${Math.ceil(maxMs / 1000)} s` }),
      );
    });
    return () => cancel();
  }

  #maxRunMs(cost: number): number {
    const pauseMs = this.#options.longestPauseMs ?? longestPauseMs;
    const ms =
      this.#msPerCost === undefined
        ? firstPauseMs + cost * this.#options.maxMsPerCost
        : pauseMs + slowdown * cost * this.#msPerCost;
    return Math.min(longestTimerMs, ms);
  }

  /** A single run that was held up does not count in full: the next that hangs is to be seen soon. */
  #learn(msPerCost: number): void {
    const known = this.#msPerCost ?? msPerCost;
    this.#msPerCost = known + rateSmoothing * (Math.min(msPerCost, slowdown * known) - known);
  }

  #kill(why: { readonly reason: string; readonly detail?: string }): void {
    this.#killed ??= why;
    this.#channel?.kill();
  }

  #start(): void {
    this.#isLoaded = false;
    this.#killed = undefined;
    this.#loadAttempts++;
    const channel = this.#options.openChannel({
      message: (message) => this.#onMessage(message),
      exit: (reason, neverStarted) => this.#onExit(reason, neverStarted),
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
        if (pending !== undefined) {
          this.#options.onRun?.(runMs, pending);
          this.#learn(runMs / pending.cost);
        }
        pending?.resolve({ data, rows, dim });
        return;
      }
      case 'run-failed':
        // Most likely it is out of memory, which it does not give back: another process starts afresh.
        this.#kill({ reason: 'it could not compute a batch', detail: message.reason });
        return;
      default:
        message satisfies never;
    }
  }

  #onExit(how: string, neverStarted = false): void {
    this.#channel = undefined;
    this.#gone.resolve();
    if (this.#isClosed) return;
    const wasIdle = this.#isLoaded && this.#pending.size === 0;
    if (this.#isLoaded) this.#ready = withResolvers();
    if (!wasIdle) this.#crashesSinceGoodBatch++;
    this.#cancelLoadTimer();
    const { reason, detail } = { reason: how, ...this.#killed };
    const requestIds = [...this.#pending.values()].flatMap((pending) => pending.requestIds);
    this.#options.onCrash?.(detail === undefined ? reason : `${reason}: ${detail}`, requestIds);
    this.#failPending(new ServiceError('runner_crashed', { model: this.#options.model, reason, retryAfterSeconds: 1 }));
    if (neverStarted) this.#loadAttempts--; // that says nothing about the model
    if (this.#loadAttempts >= maxLoadAttempts) {
      this.#giveUp(`its process stopped ${maxLoadAttempts} times while loading (${reason})`);
      return;
    }
    const wait = wasIdle
      ? idleRestartMs
      : (backoffMs[Math.min(this.#crashesSinceGoodBatch - 1, backoffMs.length - 1)] ?? 0);
    this.#options.startTimer(neverStarted ? Math.min(wait, unstartedRestartMs) : wait, () => {
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
