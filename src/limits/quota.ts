import { ServiceError } from '../errors.ts';
import type { LimitKind, LimitStore, Window } from './limit-store.ts';
import { toDuration } from './to-duration.ts';

export interface QuotaOptions {
  readonly store: LimitStore;
  /** Whose counts. */
  readonly key: string;
  /** For messages. */
  readonly caller: string;
  /** A minute; at least one of the two. */
  readonly requests: number | undefined;
  readonly tokens: number | undefined;
  readonly onLimited: (kind: LimitKind) => void;
}

/** What one request takes of its caller's limits. */
export class Quota {
  readonly #options: QuotaOptions;
  #requestWindow: Window | undefined;
  #tokenWindow: Window | undefined;
  #tokensTaken = 0;

  constructor(options: QuotaOptions) {
    this.#options = options;
  }

  /** Counts the request, before anything of it is read. @throws ServiceError `requests_limit_reached`, `tokens_limit_reached` */
  async takeRequest(): Promise<void> {
    const { store, key, caller, requests, tokens } = this.#options;
    const [taken, window] = await Promise.all([
      requests === undefined ? undefined : store.take({ kind: 'requests', key, amount: 1, limit: requests }),
      tokens === undefined ? undefined : store.peek({ kind: 'tokens', key, limit: tokens }),
    ]);
    this.#requestWindow = taken;
    this.#tokenWindow = window;
    if (requests !== undefined && taken?.isTaken === false) {
      this.#options.onLimited('requests');
      throw new ServiceError('requests_limit_reached', { caller, limit: requests, ...toDetails(taken) });
    }
    // With nothing left the request need not be read to know that it is refused.
    if (tokens !== undefined && window !== undefined && window.used >= tokens)
      this.#refuseTokens('any model', 1, window);
  }

  /** Counts the tokens, before they are computed. @throws ServiceError `tokens_limit_reached`, `request_over_limit` */
  async takeTokens(amount: number, model: string): Promise<void> {
    const { store, key, caller, tokens } = this.#options;
    if (tokens === undefined) return;
    if (amount > tokens) {
      this.#options.onLimited('tokens');
      throw new ServiceError('request_over_limit', { model, caller, limit: tokens, requested: amount });
    }
    const taken = await store.take({ kind: 'tokens', key, amount, limit: tokens });
    this.#tokenWindow = taken;
    if (!taken.isTaken) this.#refuseTokens(model, amount, taken);
    this.#tokensTaken = amount;
  }

  /** For a request that got no vectors through no fault of its own. */
  async giveBackTokens(): Promise<void> {
    const { store, key, tokens } = this.#options;
    const amount = this.#tokensTaken;
    if (tokens === undefined || amount === 0) return;
    this.#tokensTaken = 0;
    if (this.#tokenWindow) this.#tokenWindow = { ...this.#tokenWindow, used: this.#tokenWindow.used - amount };
    await store.giveBack({ kind: 'tokens', key, amount, limit: tokens });
  }

  /** OpenAI's `x-ratelimit-*` for the limits in force. */
  headers(): Readonly<Record<string, string>> {
    const { requests, tokens } = this.#options;
    return {
      ...toHeaders('requests', requests, this.#requestWindow),
      ...toHeaders('tokens', tokens, this.#tokenWindow),
    };
  }

  #refuseTokens(model: string, requested: number, window: Window): never {
    const { caller, tokens = 0 } = this.#options;
    this.#options.onLimited('tokens');
    throw new ServiceError('tokens_limit_reached', { model, caller, limit: tokens, requested, ...toDetails(window) });
  }
}

function toDetails({ used, resetMs }: Window): { used: number; after: string; retryAfterSeconds: number } {
  return { used, after: toDuration(resetMs), retryAfterSeconds: resetMs / 1000 };
}

function toHeaders(kind: LimitKind, limit: number | undefined, window: Window | undefined): Record<string, string> {
  if (limit === undefined || window === undefined) return {};
  return {
    [`x-ratelimit-limit-${kind}`]: String(limit),
    [`x-ratelimit-remaining-${kind}`]: String(Math.max(0, limit - window.used)),
    [`x-ratelimit-reset-${kind}`]: toDuration(window.used === 0 ? 0 : window.resetMs),
  };
}
