import type { Replica } from '../engine/replica.ts';
import { ServiceError, shuttingDown } from '../errors.ts';
import type { Origin } from '../request/origin.ts';
import { toRetryAfter } from '../util/retry-after.ts';
import type { Vectors } from '../vectors/vectors.ts';
import type { Batch } from './batch.ts';
import { nameRequests, noteBatch, originsOf } from './batch-origins.ts';
import type { Entry, Sequence } from './entry.ts';
import { keyOf, Submission } from './entry.ts';
import { Quarantine } from './quarantine.ts';
import { Queue } from './queue.ts';

export interface SchedulerOptions {
  readonly model: string;
  readonly replicas: readonly Replica[];
  readonly maxBatchTokens: number;
  /** Tokens that may wait before new work is refused with 429. */
  readonly maxQueueTokens: number;
  readonly nowMs: () => number;
  /** Shared by models, and by the loads of one; one of its own when absent. */
  readonly quarantine?: Quarantine | undefined;
  /** Everything but the tokens that a vector depends on; the model's name when absent. */
  readonly source?: string;
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
  onBatchEnd?(batch: EndedBatch): void;
  onDeduplicated?(inputs: number): void;
  onCancelled?(inputs: number): void;
  /** An input is refused from now on; these requests had it. */
  onQuarantined?(requestIds: readonly string[]): void;
}

/** One run of a replica, well or not, and the requests it worked for. */
export interface EndedBatch {
  readonly origins: readonly Origin[];
  readonly startedMs: number;
  readonly endedMs: number;
  readonly tokens: number;
  readonly rows: number;
  readonly hasFailed: boolean;
}

const maxFailures = 3; // batches an input may be in that fail
const crashesOfPoison = 2; // the last of them alone: an input that was only there when others crashed is innocent
const rateSmoothing = 0.2; // share of the newest batch in the running tokens per second

/** Continuous batching without a timer: whenever a replica is free it gets the best batch of what waits. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #queue: Queue;
  readonly #quarantine: Quarantine;
  readonly #source: string;
  readonly #inFlight = new Map<string, Entry>();
  /** Replicas with nothing to do, longest idle first. The last goes first: its caches are warm. */
  readonly #idle: (() => void)[] = [];
  #tokensPerSecond = 0;
  #replicasServing: number;
  #failure: Error | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#queue = new Queue({ smallTokens: options.maxBatchTokens >> 1 });
    this.#quarantine = options.quarantine ?? new Quarantine(options);
    this.#source = options.source ?? options.model;
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

  /** How long the oldest of what waits has waited; 0 where nothing does. */
  get oldestWaitMs(): number {
    for (const { state, queuedAtMs } of this.#inFlight.values())
      // in the order in which they came
      if (state === 'waiting') return this.#options.nowMs() - queuedAtMs;
    return 0;
  }

  /**
   * Vectors of the inputs, in their order.
   * @throws ServiceError `server_overloaded`, `input_quarantined`, `non_finite_output`; the signal's reason when it aborts
   */
  async embed(inputs: readonly Sequence[], signal?: AbortSignal, origin?: Origin): Promise<Vectors> {
    this.check();
    signal?.throwIfAborted();
    this.#refuseQuarantined(inputs);
    this.#refuseOverload(inputs);
    let onAbort: (() => void) | undefined;
    try {
      const data = await new Promise<Float32Array>((resolve, reject) => {
        const submission = new Submission(inputs.length, this.dimensions, { resolve, reject }, origin);
        const entries = this.#enqueue(submission, inputs);
        onAbort = () => this.#cancel(submission, entries, signal?.reason);
        signal?.addEventListener('abort', onAbort, { once: true });
        this.#wake();
      });
      return { data, rows: inputs.length, dim: this.dimensions };
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    }
  }

  /** @throws the reason why the last replica has given up */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Fails what waits and stops every replica. */
  async close(): Promise<void> {
    this.#fail(shuttingDown());
    await Promise.all(this.#options.replicas.map((replica) => replica.close()));
  }

  #refuseQuarantined(inputs: readonly Sequence[]): void {
    for (const [row, input] of inputs.entries()) {
      const seconds = this.#quarantine.secondsLeft(this.#source, () => keyOf(input));
      if (seconds !== undefined) throw this.#quarantined(row, seconds);
    }
  }

  #quarantined(row: number, seconds: number): ServiceError {
    return new ServiceError('input_quarantined', { model: this.#options.model, seconds, param: `input[${row}]` });
  }

  #refuseOverload(inputs: readonly Sequence[]): void {
    const queued = this.#queue.tokens;
    const max = this.#options.maxQueueTokens;
    const tokens = inputs.reduce((sum, { ids }) => sum + ids.length, 0);
    if (queued === 0 || queued + tokens <= max) return; // an empty queue takes any request, or a large one could never run
    const retryAfterSeconds = toRetryAfter(queued / Math.max(1, this.#tokensPerSecond * this.#replicasServing));
    throw new ServiceError('server_overloaded', { queued, max, retryAfterSeconds });
  }

  #enqueue(submission: Submission, inputs: readonly Sequence[]): Entry[] {
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
    this.#queue.add(all.filter((entry) => entry.state === 'waiting' && entry.failures === 0));
    if (shared > 0) this.#options.observer?.onDeduplicated?.(shared);
    if (submission.origin?.timeline !== undefined) submission.origin.timeline.deduplicated = shared;
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
      while (this.#failure === undefined) {
        await replica.ready();
        const entries = this.#queue.take({
          maxTokens: this.#options.maxBatchTokens,
          cost: (lengths) => replica.cost(lengths),
        });
        if (entries.length === 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
        else await this.#run(replica, entries);
      }
    } catch (error) {
      // The replica has given up; the others go on without it.
      if (--this.#replicasServing === 0) this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #run(replica: Replica, entries: readonly Entry[]): Promise<void> {
    const startedMs = this.#options.nowMs();
    const origins = originsOf(entries);
    const batch = toBatch(entries, nameRequests(origins));
    let vectors: Vectors;
    try {
      const running = replica.embed(batch);
      this.#report(batch, entries, { origins, startedMs }); // while the replica works
      vectors = await running;
    } catch (error) {
      this.#reportEnd(batch, { origins, startedMs, endedMs: this.#options.nowMs(), hasFailed: true });
      this.#onFailedBatch(entries, error);
      return;
    }
    const endedMs = this.#options.nowMs();
    this.#reportEnd(batch, { origins, startedMs, endedMs, hasFailed: false });
    const seconds = Math.max(1e-3, (endedMs - startedMs) / 1000);
    const rate = batch.ids.length / seconds;
    this.#tokensPerSecond =
      this.#tokensPerSecond === 0 ? rate : this.#tokensPerSecond * (1 - rateSmoothing) + rate * rateSmoothing;
    entries.forEach((entry, row) =>
      this.#deliver(entry, vectors.data.subarray(row * vectors.dim, (row + 1) * vectors.dim)),
    );
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
    const isCrashOfOne = entries.length === 1 && error instanceof ServiceError && error.code === 'runner_crashed';
    for (const entry of entries) {
      entry.failures++;
      if (isCrashOfOne && entry.failures >= crashesOfPoison && this.#failure === undefined) {
        this.#convict(entry);
      } else if (entry.waiters.length === 0) {
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

  #convict(entry: Entry): void {
    this.#finish(entry);
    const seconds = this.#quarantine.add(this.#source, entry.key);
    this.#options.observer?.onQuarantined?.(
      entry.waiters.flatMap(({ submission }) => submission.origin?.requestId ?? []),
    );
    for (const { submission, row } of entry.waiters) {
      submission.fail(this.#quarantined(row, seconds));
      this.#abandon(submission);
    }
  }

  /** What waits for nobody but a request that has failed is not computed. */
  #abandon(submission: Submission): void {
    for (const entry of this.#inFlight.values()) {
      if (entry.state !== 'waiting' || entry.waiters.some((waiter) => waiter.submission !== submission)) continue;
      this.#queue.drop(entry);
      this.#inFlight.delete(entry.key);
    }
    this.#options.observer?.onQueue?.(this.#queue.tokens);
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

  #report(
    batch: Batch,
    entries: readonly Entry[],
    { origins, startedMs }: Pick<EndedBatch, 'origins' | 'startedMs'>,
  ): void {
    noteBatch(origins, batch.requestIds ?? [], startedMs);
    const longest = entries.reduce((max, entry) => Math.max(max, entry.ids.length), 0);
    this.#options.observer?.onQueue?.(this.#queue.tokens);
    this.#options.observer?.onBatch?.({
      tokens: batch.ids.length,
      rows: entries.length,
      paddedTokens: longest * entries.length - batch.ids.length,
      waitedMs: entries.map((entry) => startedMs - entry.queuedAtMs),
    });
  }

  #reportEnd(batch: Batch, end: Omit<EndedBatch, 'tokens' | 'rows'>): void {
    this.#options.observer?.onBatchEnd?.({ ...end, tokens: batch.ids.length, rows: batch.offsets.length - 1 });
  }
}

function toBatch(entries: readonly Entry[], requestIds: readonly string[]): Batch {
  const offsets = new Int32Array(entries.length + 1);
  entries.forEach((entry, row) => {
    offsets[row + 1] = offsets[row]! + entry.ids.length;
  });
  const ids = new Int32Array(offsets[entries.length]!);
  entries.forEach((entry, row) => ids.set(entry.ids, offsets[row]!));
  const batch = requestIds.length === 0 ? { ids, offsets } : { ids, offsets, requestIds };
  if (!entries.some(({ skip = 0 }) => skip > 0)) return batch;
  return { ...batch, skips: Int32Array.from(entries, ({ skip = 0 }) => skip) };
}
