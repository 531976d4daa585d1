import { createHash } from 'node:crypto';

export interface QuarantineOptions {
  readonly nowMs: () => number;
  /** How long an input stays refused. */
  readonly ttlMs?: number;
  /** Inputs that are remembered at most; the one refused longest ago goes first. */
  readonly maxInputs?: number;
}

const ttlMs = 600_000; // the process may have died of something else: ten minutes later it gets another chance
const maxInputs = 10_000; // 1 MB

/**
 * Inputs that stopped the process that ran them, twice: refused for a while instead of stopping a third one. Knows
 * digests only, never a text or its tokens.
 */
export class Quarantine {
  readonly #options: Required<QuarantineOptions>;
  /** When each is free again; the one used longest ago stands first. */
  readonly #untilMs = new Map<string, number>();

  constructor(options: QuarantineOptions) {
    this.#options = { ttlMs, maxInputs, ...options };
  }

  /**
   * `model` says all that the vector of an input depends on beside its tokens, `key` the tokens.
   * @returns whole seconds for which the input is refused
   */
  add(model: string, key: string): number {
    const { nowMs, ttlMs: keptMs, maxInputs: most } = this.#options;
    this.#untilMs.set(digestOf(model, key), nowMs() + keptMs);
    const [oldest] = this.#untilMs.keys();
    if (this.#untilMs.size > most && oldest !== undefined) this.#untilMs.delete(oldest);
    return Math.ceil(keptMs / 1000);
  }

  /** Whole seconds for which the input is still refused; undefined for one that is not. */
  secondsLeft(model: string, key: () => string): number | undefined {
    if (this.#untilMs.size === 0) return undefined; // as good as always: nothing is computed
    const digest = digestOf(model, key());
    const untilMs = this.#untilMs.get(digest);
    if (untilMs === undefined) return undefined;
    this.#untilMs.delete(digest);
    const leftMs = untilMs - this.#options.nowMs();
    if (leftMs <= 0) return undefined;
    this.#untilMs.set(digest, untilMs); // it was used last
    return Math.ceil(leftMs / 1000);
  }
}

function digestOf(model: string, key: string): string {
  return createHash('sha256').update(model).update('\0').update(key, 'latin1').digest('base64');
}
