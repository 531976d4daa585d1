import type { Replica } from '../engine/replica.ts';
import { ServiceError, shuttingDown } from '../errors.ts';
import type { Origin } from '../request/origin.ts';
import type { Vectors } from '../vectors/vectors.ts';
import { Admission } from './admission.ts';
import type { Batch } from './batch.ts';
import { nameRequests, noteBatch, originsOf } from './batch-origins.ts';
import type { Entry, Sequence } from './entry.ts';
import { Deadlines } from './deadlines.ts';
import { keyOf, Submission } from './entry.ts';
import { InFlight } from './in-flight.ts';
import { describeStart, type EndedBatch, type SchedulerObserver } from './observer.ts';
import { Quarantine } from './quarantine.ts';
import { Queue } from './queue.ts';
import { Speed } from './speed.ts';
import { countTokens, toBatch } from './to-batch.ts';

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

const maxFailures = 3; // batches an input may be in that fail
const crashesOfPoison = 2; // the last of them alone: an input that was only there when others crashed is innocent

/** Continuous batching without a timer: whenever a replica is free it gets the best batch of what waits. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #queue: Queue;
  readonly #quarantine: Quarantine;
  readonly #source: string;
  readonly #admission: Admission;
  readonly #deadlines = new Deadlines();
  readonly #inFlight = new InFlight();
  /** Replicas with nothing to do, longest idle first. The last goes first: its caches are warm. */
  readonly #idle: (() => void)[] = [];
  readonly #speed = new Speed();
  #replicasServing: number;
  #failure: Error | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#queue = new Queue({ smallTokens: options.maxBatchTokens >> 1 });
    this.#quarantine = options.quarantine ?? new Quarantine(options);
    this.#source = options.source ?? options.model;
    this.#admission = new Admission({ ...options, queue: this.#queue, rate: () => this.tokensPerSecond });
    this.#replicasServing = options.replicas.length;
    for (const replica of options.replicas) void this.#serve(replica);
  }

  get dimensions(): number {
    return this.#options.replicas[0]?.limits.dimensions ?? 0;
  }

  /** Whether nothing waits and nothing runs. */
  get isIdle(): boolean {
    return this.#inFlight.isEmpty;
  }

  /** How long the oldest of what waits has waited; 0 where nothing does. */
  get oldestWaitMs(): number {
    for (const { state, queuedAtMs } of this.#inFlight.values())
      // in the order in which they came
      if (state === 'waiting') return this.#options.nowMs() - queuedAtMs;
    return 0;
  }

  /** Of all replicas under load, measured; 0 until there was any. */
  get tokensPerSecond(): number {
    return this.#speed.tokensPerSecond * this.#replicasServing;
  }

  /** What `encoding` gives; meanwhile its inputs count as if they waited. `bytes`: of their texts. */
  expect<T extends readonly Sequence[]>(bytes: number, encoding: Promise<T>): Promise<T> {
    return this.#admission.expect(bytes, encoding);
  }

  /** Why a request with a body of so many bytes would be refused now; undefined where it might not. */
  refuseEarly(bytes: number, origin?: Origin): ServiceError | undefined {
    return this.#refusalOf(this.#admission.estimate(bytes), origin);
  }

  /**
   * Vectors of the inputs, in their order.
   * @throws ServiceError `server_overloaded`, `queue_share_exceeded`, `wait_too_long`, `deadline_exceeded`, `input_quarantined`,
   * `non_finite_output`; the signal's reason when it aborts
   */
  async embed(inputs: readonly Sequence[], signal?: AbortSignal, origin?: Origin): Promise<Vectors> {
    this.check();
    signal?.throwIfAborted();
    this.#refuseQuarantined(inputs);
    this.#dropLate();
    const refusal = this.#refusalOf(countTokens(inputs), origin);
    if (refusal !== undefined) throw refusal;
    let onAbort: (() => void) | undefined;
    try {
      const data = await new Promise<Float32Array>((resolve, reject) => {
        const submission = new Submission(inputs.length, this.dimensions, { resolve, reject }, origin);
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

  /** @throws the reason why the last replica has given up */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Fails what waits and stops every replica. */
  async close(): Promise<void> {
    this.#fail(shuttingDown());
    await Promise.all(this.#options.replicas.map((replica) => replica.close()));
  }

  #refusalOf(tokens: number, origin: Origin | undefined): ServiceError | undefined {
    const refused = this.#admission.check(tokens, origin);
    if (refused !== undefined) this.#options.observer?.onRefused?.(refused.reason);
    return refused?.error;
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

  /** Answers those whose time would be over before a batch is, so that no runner works for them. */
  #dropLate(): void {
    for (const { submission, entries } of this.#deadlines.takeBefore(this.#options.nowMs() + this.#speed.batchMs)) {
      this.#options.observer?.onRefused?.('late');
      this.#cancel(submission, entries, this.#admission.tooLate());
    }
  }

  #enqueue(submission: Submission, inputs: readonly Sequence[], caller: string | undefined): Entry[] {
    const { entries, shared } = this.#inFlight.join(submission, inputs, this.#options.nowMs());
    this.#queue.add(
      entries.filter((entry) => entry.state === 'waiting' && entry.failures === 0),
      caller,
    );
    if (shared > 0) this.#options.observer?.onDeduplicated?.(shared);
    if (submission.origin?.timeline !== undefined) submission.origin.timeline.deduplicated = shared;
    this.#options.observer?.onQueue?.(this.#queue.tokens);
    return entries;
  }

  #cancel(submission: Submission, entries: readonly Entry[], reason: unknown): void {
    const cancelled = this.#withdraw(submission, entries);
    if (cancelled > 0) this.#options.observer?.onCancelled?.(cancelled);
    submission.fail(reason);
  }

  /** What waits for nobody but this request is not computed; gives how many inputs that are. */
  #withdraw(submission: Submission, entries: Iterable<Entry>): number {
    const unwanted = this.#inFlight.leave(submission, entries);
    for (const entry of unwanted) this.#queue.drop(entry);
    this.#options.observer?.onQueue?.(this.#queue.tokens);
    return unwanted.length;
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
    const origins = originsOf(entries);
    const batch = toBatch(entries, nameRequests(origins));
    let vectors: Vectors;
    try {
      const running = replica.embed(batch);
      noteBatch(origins, batch.requestIds ?? [], startedMs); // while the replica works
      this.#options.observer?.onQueue?.(this.#queue.tokens);
      this.#options.observer?.onBatch?.(describeStart(batch, entries, startedMs));
      vectors = await running;
    } catch (error) {
      this.#reportEnd(batch, { origins, startedMs, endedMs: this.#options.nowMs(), hasFailed: true });
      this.#onFailedBatch(entries, error);
      return;
    }
    const endedMs = this.#options.nowMs();
    this.#reportEnd(batch, { origins, startedMs, endedMs, hasFailed: false });
    if (leavesOthers) this.#speed.measure(batch.ids.length, endedMs - freeMs);
    entries.forEach((entry, row) =>
      this.#deliver(entry, vectors.data.subarray(row * vectors.dim, (row + 1) * vectors.dim)),
    );
  }

  #deliver(entry: Entry, vector: Float32Array): void {
    this.#inFlight.finish(entry);
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
        this.#inFlight.finish(entry);
      } else if (entry.failures < maxFailures && this.#failure === undefined) {
        this.#queue.retry(entry);
      } else {
        this.#inFlight.finish(entry);
        for (const { submission } of entry.waiters) submission.fail(error);
      }
    }
    this.#wake();
  }

  #convict(entry: Entry): void {
    this.#inFlight.finish(entry);
    const seconds = this.#quarantine.add(this.#source, entry.key);
    this.#options.observer?.onQuarantined?.(
      entry.waiters.flatMap(({ submission }) => submission.origin?.requestId ?? []),
    );
    for (const { submission, row } of entry.waiters) {
      submission.fail(this.#quarantined(row, seconds));
      this.#withdraw(submission, this.#inFlight.values());
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const entry of this.#inFlight.clear()) {
      this.#queue.drop(entry);
      for (const { submission } of entry.waiters) submission.fail(error);
    }
    this.#options.observer?.onQueue?.(this.#queue.tokens);
    this.#wake();
  }

  #wake(): void {
    for (const resume of this.#idle.splice(0).toReversed()) resume();
  }

  #reportEnd(batch: Batch, end: Omit<EndedBatch, 'tokens' | 'rows'>): void {
    this.#options.observer?.onBatchEnd?.({ ...end, tokens: batch.ids.length, rows: batch.offsets.length - 1 });
  }
}
