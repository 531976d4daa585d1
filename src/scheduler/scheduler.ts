import type { Replica } from '../engine/replica.ts';
import { ServiceError, shuttingDown } from '../errors.ts';
import type { Origin } from '../request/origin.ts';
import type { Vectors } from '../vectors/vectors.ts';
import { Admission, type Refusal } from './admission.ts';
import type { Batch } from './batch.ts';
import type { Entry, Sequence } from './entry.ts';
import { Deadlines } from './deadlines.ts';
import { keyOf, Submission } from './entry.ts';
import { Queue } from './queue.ts';

export interface SchedulerOptions {
  readonly model: string;
  readonly replicas: readonly Replica[];
  readonly maxBatchTokens: number;
  /** Tokens that may wait before new work is refused with 429. */
  readonly maxQueueTokens: number;
  readonly nowMs: () => number;
  readonly observer?: SchedulerObserver;
}

/** Told what happens; metrics are made from it. */
export interface SchedulerObserver {
  onQueue?(waitingTokens: number): void;
  onBatch?(batch: {
    readonly tokens: number;
    readonly rows: number;
    readonly paddedTokens: number;
    readonly waitedMs: readonly number[];
  }): void;
  onDeduplicated?(inputs: number): void;
  onCancelled?(inputs: number): void;
  onRefused?(reason: Refusal): void;
}

const maxFailures = 3; // batches an input may be in that fail; after that it is the likely cause
const rateSmoothing = 0.2; // share of the newest batch in the running means

/** Continuous batching without a timer: whenever a replica is free it gets the best batch of what waits. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #queue: Queue;
  readonly #admission: Admission;
  readonly #deadlines = new Deadlines();
  readonly #inFlight = new Map<string, Entry>();
  /** Replicas with nothing to do, longest idle first. The last goes first: its caches are warm. */
  readonly #idle: (() => void)[] = [];
  /** Means of the batches that left others waiting: smaller ones say little of what a replica can do. */
  #batchTokens = 0;
  #batchMs = 0;
  #replicasServing: number;
  #failure: Error | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#queue = new Queue({ smallTokens: options.maxBatchTokens >> 1 });
    this.#admission = new Admission({ ...options, queue: this.#queue, rate: () => this.tokensPerSecond });
    this.#replicasServing = options.replicas.length;
    for (const replica of options.replicas) void this.#serve(replica);
  }

  get dimensions(): number {
    return this.#options.replicas[0]?.limits.dimensions ?? 0;
  }

  /** Whether nothing waits and nothing runs. */
  get isIdle(): boolean {
    return this.#inFlight.size === 0;
  }

  /** Of all replicas under load, measured; 0 until there was any. */
  get tokensPerSecond(): number {
    return this.#batchMs === 0 ? 0 : (1000 * this.#batchTokens * this.#replicasServing) / this.#batchMs;
  }

  /** Counts what is still being tokenised, about, as if it waited; call what comes back when it is done. */
  expect(tokens: number): () => void {
    return this.#admission.expect(tokens);
  }

  /** Why a request of at least so many tokens would be refused now; undefined where it might not. */
  refusalOf(atLeastTokens: number, origin?: Origin): ServiceError | undefined {
    const refused = this.#admission.check(atLeastTokens, origin);
    if (refused !== undefined) this.#options.observer?.onRefused?.(refused.reason);
    return refused?.error;
  }

  /**
   * Vectors of the inputs, in their order.
   * @throws ServiceError `server_overloaded`, `queue_share_exceeded`, `wait_too_long`, `deadline_exceeded`, `runner_crashed`,
   * `non_finite_output`; the signal's reason when it aborts
   */
  async embed(inputs: readonly Sequence[], signal?: AbortSignal, origin?: Origin): Promise<Vectors> {
    if (this.#failure !== undefined) throw this.#failure;
    signal?.throwIfAborted();
    this.#dropLate();
    const refusal = this.refusalOf(countTokens(inputs), origin);
    if (refusal !== undefined) throw refusal;
    let onAbort: (() => void) | undefined;
    try {
      const data = await new Promise<Float32Array>((resolve, reject) => {
        const submission = new Submission(inputs.length, this.dimensions, { resolve, reject });
        const entries = this.#enqueue(submission, inputs, origin?.caller);
        this.#deadlines.add(submission, entries, origin?.deadlineMs);
        onAbort = () => this.#cancel(submission, entries, signal?.reason);
        signal?.addEventListener('abort', onAbort, { once: true });
        this.#wake();
      });
      return { data, rows: inputs.length, dim: this.dimensions };
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Fails what waits and stops every replica. */
  async close(): Promise<void> {
    this.#fail(shuttingDown());
    await Promise.all(this.#options.replicas.map((replica) => replica.close()));
  }

  /** Answers those whose time would be over before a batch is, so that no runner works for them. */
  #dropLate(): void {
    for (const { submission, entries } of this.#deadlines.takeBefore(this.#options.nowMs() + this.#batchMs)) {
      this.#options.observer?.onRefused?.('late');
      this.#cancel(submission, entries, this.#admission.tooLate());
    }
  }

  #enqueue(submission: Submission, inputs: readonly Sequence[], caller: string | undefined): Entry[] {
    const entries = new Set<Entry>();
    let shared = 0;
    const queuedAtMs = this.#options.nowMs();
    inputs.forEach(({ ids, skip = 0 }, row) => {
      const key = keyOf({ ids, skip });
      let entry = this.#inFlight.get(key);
      if (entry === undefined) {
        entry = { ids, skip, key, queuedAtMs, waiters: [], state: 'waiting', failures: 0 };
        this.#inFlight.set(key, entry);
      } else shared++;
      entry.waiters.push({ submission, row });
      entries.add(entry);
    });
    const all = [...entries];
    this.#queue.add(
      all.filter((entry) => entry.state === 'waiting' && entry.failures === 0),
      caller,
    );
    if (shared > 0) this.#options.observer?.onDeduplicated?.(shared);
    this.#options.observer?.onQueue?.(this.#queue.tokens);
    return all;
  }

  #cancel(submission: Submission, entries: readonly Entry[], reason: unknown): void {
    let cancelled = 0;
    for (const entry of entries) {
      const wanted = entry.waiters.filter((waiter) => waiter.submission !== submission);
      entry.waiters.splice(0, entry.waiters.length, ...wanted);
      if (wanted.length > 0 || entry.state !== 'waiting') continue;
      this.#queue.drop(entry);
      this.#inFlight.delete(entry.key);
      cancelled++;
    }
    if (cancelled > 0) this.#options.observer?.onCancelled?.(cancelled);
    this.#options.observer?.onQueue?.(this.#queue.tokens);
    submission.fail(reason);
  }

  async #serve(replica: Replica): Promise<void> {
    try {
      let freeMs = this.#options.nowMs();
      while (this.#failure === undefined) {
        await replica.ready();
        this.#dropLate();
        const entries = this.#queue.take({
          maxTokens: this.#options.maxBatchTokens,
          cost: (lengths) => replica.cost(lengths),
        });
        if (entries.length === 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
        else await this.#run(replica, entries, freeMs);
        freeMs = this.#options.nowMs();
      }
    } catch (error) {
      // The replica has given up; the others go on without it.
      if (--this.#replicasServing === 0) this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** `freeMs`: when the replica could have begun; what delays it counts against its speed. */
  async #run(replica: Replica, entries: readonly Entry[], freeMs: number): Promise<void> {
    const startedMs = this.#options.nowMs();
    const leavesOthers = this.#queue.tokens > 0;
    const batch = toBatch(entries);
    let vectors: Vectors;
    try {
      const running = replica.embed(batch);
      this.#report(batch, entries, startedMs); // while the replica works
      vectors = await running;
    } catch (error) {
      this.#onFailedBatch(entries, error);
      return;
    }
    if (leavesOthers) this.#measure(batch.ids.length, this.#options.nowMs() - freeMs);
    entries.forEach((entry, row) =>
      this.#deliver(entry, vectors.data.subarray(row * vectors.dim, (row + 1) * vectors.dim)),
    );
  }

  #measure(tokens: number, ms: number): void {
    this.#batchTokens = smooth(this.#batchTokens, tokens);
    this.#batchMs = smooth(this.#batchMs, Math.max(1, ms));
  }

  #deliver(entry: Entry, vector: Float32Array): void {
    this.#finish(entry);
    const isFinite = Number.isFinite(vector.reduce((sum, value) => sum + value, 0));
    for (const { submission, row } of entry.waiters) {
      if (isFinite) submission.fill(row, vector);
      else submission.fail(new ServiceError('non_finite_output', { param: `input[${row}]` }));
    }
  }

  /** Every input of a failed batch runs again, alone, until it has failed too often. */
  #onFailedBatch(entries: readonly Entry[], error: unknown): void {
    for (const entry of entries) {
      entry.failures++;
      if (entry.waiters.length === 0) {
        this.#finish(entry);
      } else if (entry.failures < maxFailures && this.#failure === undefined) {
        this.#queue.retry(entry);
      } else {
        this.#finish(entry);
        for (const { submission } of entry.waiters) submission.fail(error);
      }
    }
    this.#wake();
  }

  #finish(entry: Entry): void {
    entry.state = 'done';
    this.#inFlight.delete(entry.key);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const entry of this.#inFlight.values()) {
      this.#queue.drop(entry);
      for (const { submission } of entry.waiters) submission.fail(error);
    }
    this.#inFlight.clear();
    this.#options.observer?.onQueue?.(this.#queue.tokens);
    this.#wake();
  }

  #wake(): void {
    for (const resume of this.#idle.splice(0).toReversed()) resume();
  }

  #report(batch: Batch, entries: readonly Entry[], startedMs: number): void {
    const longest = entries.reduce((max, entry) => Math.max(max, entry.ids.length), 0);
    this.#options.observer?.onQueue?.(this.#queue.tokens);
    this.#options.observer?.onBatch?.({
      tokens: batch.ids.length,
      rows: entries.length,
      paddedTokens: longest * entries.length - batch.ids.length,
      waitedMs: entries.map((entry) => startedMs - entry.queuedAtMs),
    });
  }
}

function smooth(mean: number, value: number): number {
  return mean === 0 ? value : mean * (1 - rateSmoothing) + value * rateSmoothing;
}

function countTokens(inputs: readonly Sequence[]): number {
  return inputs.reduce((sum, { ids }) => sum + ids.length, 0);
}

function toBatch(entries: readonly Entry[]): Batch {
  const offsets = new Int32Array(entries.length + 1);
  entries.forEach((entry, row) => {
    offsets[row + 1] = offsets[row]! + entry.ids.length;
  });
  const ids = new Int32Array(offsets[entries.length]!);
  entries.forEach((entry, row) => ids.set(entry.ids, offsets[row]!));
  if (!entries.some(({ skip = 0 }) => skip > 0)) return { ids, offsets };
  return { ids, offsets, skips: Int32Array.from(entries, ({ skip = 0 }) => skip) };
}
