import { ServiceError } from '../errors.ts';
import { withResolvers, type PromiseWithResolvers } from '../util/with-resolvers.ts';
import type { Clock } from './clock.ts';
import { formatBytes } from '../util/format-bytes.ts';

/** A model as far as its place in memory goes. */
export interface Occupant {
  readonly name: string;
  /** What it takes, at most. */
  readonly memoryBytes: number;
  readonly lastUsedMs: number;
  /** When it came into memory. */
  readonly readyMs: number;
  /** Somebody waits for it or uses it. */
  readonly isWanted: boolean;
  readonly isPinned: boolean;
  /** In memory and used by nobody; a pinned model never says so. */
  readonly isIdle: boolean;
  /** Used, but long enough in memory to let another have a turn; a pinned model never says so. */
  readonly mayYield: boolean;
  /** It takes no new requests and leaves when its last one is done. */
  readonly isRetired: boolean;
  /** Its last request is done: it leaves in a moment. */
  readonly isClosing: boolean;
  retire(): void;
}

export interface RoomOptions {
  readonly maxModels: number;
  readonly maxBytes: number;
  readonly clock: Clock;
}

interface Waiter {
  readonly occupant: Occupant;
  readonly sinceMs: number;
  readonly granted: PromiseWithResolvers<void>;
}

const patienceMs = 2000; // how long one waits for an idle model before a busy one is asked to yield

/**
 * The memory that models share. Who finds no place waits in line; the idle model unused for longest goes first, and
 * where all are busy, one that has had its turn takes no new requests, so that nobody waits for ever.
 */
export class ModelRoom {
  readonly #options: RoomOptions;
  readonly #inside = new Set<Occupant>();
  readonly #line: Waiter[] = [];
  #cancelTimer: () => void = () => {};

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** Models that hold a place, those that are on their way out too. */
  get occupants(): readonly Occupant[] {
    return [...this.#inside];
  }

  /**
   * Resolves when the model has its place, which it holds until `leave`.
   * @throws ServiceError `model_too_large` where it would not fit alone, `pinned_models` where not beside the pinned
   * ones; what `signal` aborts with
   */
  async enter(occupant: Occupant, signal?: AbortSignal): Promise<void> {
    const { maxBytes, clock } = this.#options;
    signal?.throwIfAborted();
    if (occupant.memoryBytes > maxBytes) {
      const [needed, max] = [formatBytes(occupant.memoryBytes), formatBytes(maxBytes)];
      throw new ServiceError('model_too_large', { model: occupant.name, needed, max });
    }
    const pinned = this.#pinned();
    if (!this.#fits(occupant, pinned)) {
      const held = pinned.map(({ name }) => name).join(', ');
      throw new ServiceError('pinned_models', { model: occupant.name, held });
    }
    const waiter: Waiter = { occupant, sinceMs: clock.nowMs(), granted: withResolvers() };
    const onAbort = () => {
      const at = this.#line.indexOf(waiter);
      if (at < 0) return;
      this.#line.splice(at, 1);
      waiter.granted.reject(signal?.reason);
      this.review();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#line.push(waiter);
    this.review();
    await waiter.granted.promise;
    signal?.removeEventListener('abort', onAbort);
  }

  /** Gives the place back: the memory is the system's again. */
  leave(occupant: Occupant): void {
    if (this.#inside.delete(occupant)) this.review();
  }

  /** Lets in who fits, and sends away who must go for it. To be called when a model has become idle or wanted. */
  review(): void {
    this.#cancelTimer();
    for (let waiter = this.#next(); waiter !== undefined; waiter = this.#next()) {
      if (this.#fits(waiter.occupant, this.occupants)) {
        this.#line.splice(this.#line.indexOf(waiter), 1);
        this.#inside.add(waiter.occupant);
        waiter.granted.resolve();
        continue;
      }
      const victim = this.#chooseVictim(waiter);
      if (victim === undefined) {
        this.#cancelTimer = this.#options.clock.after(patienceMs, () => this.review());
        return;
      }
      victim.retire();
    }
  }

  /** The first in line that somebody waits for. Who would not fit beside the pinned models alone holds nobody up. */
  #next(): Waiter | undefined {
    if (this.#line.length === 0) return undefined; // as after most requests
    const pinned = this.#pinned();
    const able = this.#line.filter(({ occupant }) => this.#fits(occupant, pinned));
    return able.find(({ occupant }) => occupant.isWanted) ?? able[0];
  }

  #pinned(): readonly Occupant[] {
    return this.occupants.filter(({ isPinned }) => isPinned);
  }

  #fits({ memoryBytes }: Occupant, among: readonly Occupant[]): boolean {
    const { maxModels, maxBytes } = this.#options;
    const taken = among.reduce((sum, occupant) => sum + occupant.memoryBytes, 0);
    return among.length < maxModels && taken + memoryBytes <= maxBytes;
  }

  /** Undefined where waiting is better, or all there is. */
  #chooseVictim({ occupant, sinceMs }: Waiter): Occupant | undefined {
    const remaining = this.occupants.filter(({ isClosing }) => !isClosing);
    // Its place comes in a moment, or nobody waits for it any more.
    if (this.#fits(occupant, remaining) || !occupant.isWanted) return undefined;
    const staying = remaining.filter(({ isRetired }) => !isRetired);
    const isPatient = this.#options.clock.nowMs() - sinceMs < patienceMs;
    const isPlaceToCome = this.#fits(occupant, staying); // when requests in flight are done
    if (isPlaceToCome && isPatient) return undefined;
    const idle = staying.filter(({ isIdle }) => isIdle);
    if (idle.length > 0) return leastBy(({ lastUsedMs }) => lastUsedMs, idle);
    if (isPlaceToCome || isPatient) return undefined;
    const yielding = staying.filter(({ mayYield }) => mayYield);
    return leastBy(({ readyMs }) => readyMs, yielding);
  }
}

function leastBy(of: (occupant: Occupant) => number, occupants: readonly Occupant[]): Occupant | undefined {
  return occupants.toSorted((a, b) => of(a) - of(b))[0];
}
