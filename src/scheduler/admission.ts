import { ServiceError } from '../errors.ts';
import type { Origin } from '../request/origin.ts';
import { toRetryAfter } from '../util/retry-after.ts';
import type { Sequence } from './entry.ts';
import type { Queue } from './queue.ts';
import { countTokens } from './to-batch.ts';
import { TokenEstimate } from './token-estimate.ts';

/** Why a request gets no vectors: the queue is full, its caller has its share of it, the wait would be too long, or was. */
export type Refusal = 'queue' | 'share' | 'wait' | 'late';

export interface AdmissionOptions {
  readonly queue: Pick<Queue, 'tokens' | 'tokensOf' | 'tokensBefore'>;
  /** Tokens that may wait. */
  readonly maxQueueTokens: number;
  /** Tokens a second, measured; 0 where nothing has been. */
  readonly rate: () => number;
  readonly nowMs: () => number;
}

interface Refused {
  readonly reason: Refusal;
  readonly error: ServiceError;
}

/** Part of a wait that a request may be expected to take at most: an estimate that is short by a third makes no one late. */
const usedWait = 0.75;

/** Part of a body that is text: the rest is quotes, commas and escapes. */
const usedBytes = 0.75;

/** Decides who may join the queue, before any work for them. */
export class Admission {
  readonly #options: AdmissionOptions;
  /** Names of callers, which are of the administrator's making. */
  readonly #callers = new Set<string>();
  readonly #estimate = new TokenEstimate();
  #arriving = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** What `encoding` gives; meanwhile its inputs count as if they waited. `bytes`: of their texts. */
  async expect<T extends readonly Sequence[]>(bytes: number, encoding: Promise<T>): Promise<T> {
    const expected = this.#estimate.of(bytes);
    this.#arriving += expected;
    try {
      const sequences = await encoding;
      this.#estimate.learn(bytes, countTokens(sequences));
      return sequences;
    } finally {
      this.#arriving -= expected;
    }
  }

  /** Tokens that a body of so many bytes has, rather too few. */
  estimate(bytes: number): number {
    return usedBytes * this.#estimate.of(bytes);
  }

  /** Undefined: it may join. */
  check(tokens: number, { caller = '', deadlineMs }: Partial<Origin> = {}): Refused | undefined {
    const { queue, maxQueueTokens: max } = this.#options;
    this.#callers.add(caller);
    const queued = queue.tokens + this.#arriving;
    if (queued === 0) return undefined; // an empty queue takes any request, or a large one could never run
    const free = max - queued;
    if (tokens > free) {
      const retryAfterSeconds = this.#secondsFor(tokens - free);
      return { reason: 'queue', error: new ServiceError('server_overloaded', { queued, max, retryAfterSeconds }) };
    }
    const mine = queue.tokensOf(caller);
    // Room for those who come later (dynamic thresholds, Choudhury and Hahne 1998). Who shares with nobody needs none.
    if (this.#callers.size > 1 && mine > 0 && mine + tokens > free) {
      const retryAfterSeconds = this.#secondsFor(mine + tokens - free);
      return { reason: 'share', error: new ServiceError('queue_share_exceeded', { mine, free, retryAfterSeconds }) };
    }
    return deadlineMs === undefined ? undefined : this.#checkWait(tokens, caller, deadlineMs);
  }

  /** For a request whose time is over while it waits. */
  tooLate(): ServiceError {
    return new ServiceError('deadline_exceeded', { retryAfterSeconds: this.#secondsFor(this.#options.queue.tokens) });
  }

  #checkWait(tokens: number, caller: string, deadlineMs: number): Refused | undefined {
    const rate = this.#options.rate();
    if (rate === 0) return undefined;
    const allowed = (deadlineMs - this.#options.nowMs()) / 1000;
    const seconds = (this.#arriving + this.#options.queue.tokensBefore(tokens, caller) + tokens) / rate;
    if (seconds <= usedWait * allowed) return undefined;
    const details = { seconds: Math.ceil(seconds), allowed: Math.max(0, Math.round(allowed * 10) / 10) };
    const retryAfterSeconds = toRetryAfter(seconds - usedWait * allowed);
    return { reason: 'wait', error: new ServiceError('wait_too_long', { ...details, retryAfterSeconds }) };
  }

  /** Until so many tokens have left the queue. */
  #secondsFor(tokens: number): number {
    return toRetryAfter(tokens / Math.max(1, this.#options.rate()));
  }
}
