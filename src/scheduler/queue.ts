import type { Entry } from './entry.ts';
import type { PackLimits } from './pack.ts';
import { pack } from './pack.ts';

/** The waiting entries of one request. */
interface Flow {
  readonly entries: readonly Entry[];
  /** Entries before it have left the queue. */
  head: number;
  /** Tokens this request has been served, counted from the service level at which it came. */
  served: number;
  readonly isSmall: boolean;
}

const candidateLimit = 256; // sequences looked at for one batch; bounds the work of one pick

/**
 * What waits, shared fairly: the request that has been served the fewest tokens gives the next batch its seed, so a
 * request of 2048 inputs cannot starve a single query. A batch seeded by a small request takes no part of large ones,
 * so that its answer does not wait for their work.
 */
export class Queue {
  readonly #flows = new Set<Flow>();
  /** Waiting entries by length in tokens. */
  readonly #byLength = new Map<number, Set<Entry>>();
  readonly #flowsOf = new Map<Entry, Flow[]>();
  readonly #retries: Entry[] = [];
  readonly #smallTokens: number;
  /**
   * What a request would have been served had it waited from the start: rises by each request's fair share of the
   * work (virtual time of generalised processor sharing), so that newcomers never stay ahead of those who wait.
   */
  #level = 0;
  #tokens = 0;

  /** Requests of at most `smallTokens` tokens count as small. */
  constructor({ smallTokens }: { readonly smallTokens: number }) {
    this.#smallTokens = smallTokens;
  }

  get tokens(): number {
    return this.#tokens;
  }

  /** Adds a request. Its entries may already wait for other requests. */
  add(entries: readonly Entry[]): void {
    const tokens = entries.reduce((sum, entry) => sum + entry.ids.length, 0);
    const isSmall = tokens <= this.#smallTokens;
    // Large requests are a batch apart from each other: with a batch's head start a small one overtakes them all.
    const served = this.#level - (isSmall ? 2 * this.#smallTokens : 0);
    const flow: Flow = { entries, head: 0, served, isSmall };
    this.#flows.add(flow);
    for (const entry of entries) {
      const flows = this.#flowsOf.get(entry);
      if (flows !== undefined) {
        flows.push(flow);
        continue;
      }
      this.#flowsOf.set(entry, [flow]);
      this.#index(entry);
    }
  }

  /** Puts back an entry whose batch failed; it goes next, and alone. */
  retry(entry: Entry): void {
    entry.state = 'waiting';
    this.#tokens += entry.ids.length;
    this.#retries.push(entry);
  }

  /** Forgets a waiting entry that nobody wants any more. */
  drop(entry: Entry): void {
    if (entry.state !== 'waiting') return;
    entry.state = 'done';
    this.#tokens -= entry.ids.length;
    this.#unindex(entry);
    const retry = this.#retries.indexOf(entry);
    if (retry >= 0) this.#retries.splice(retry, 1);
  }

  /** The best batch of what waits, its entries marked as running; empty when nothing waits. */
  take(limits: PackLimits): Entry[] {
    const retry = this.#retries.shift();
    if (retry !== undefined) return this.#leave([retry]);
    const flow = this.#nextFlow();
    const seed = flow?.entries[flow.head];
    if (flow === undefined || seed === undefined) return [];
    this.#level = Math.max(this.#level, flow.served);
    const candidates = [seed, ...this.#near(seed, flow.isSmall, limits.maxTokens)];
    const lengths = candidates.map((entry) => entry.ids.length);
    return this.#leave(pack(lengths, limits).map((index) => candidates[index]!));
  }

  #nextFlow(): Flow | undefined {
    let next: Flow | undefined;
    for (const flow of this.#flows) {
      while (flow.head < flow.entries.length && !this.#flowsOf.has(flow.entries[flow.head]!)) flow.head++;
      if (flow.head === flow.entries.length) this.#flows.delete(flow);
      else if (next === undefined || flow.served < next.served) next = flow;
    }
    return next;
  }

  /** Other waiting entries, nearest in length first, until they would fill the batch. */
  #near(seed: Entry, smallOnly: boolean, maxTokens: number): Entry[] {
    const found: Entry[] = [];
    const length = seed.ids.length;
    let tokens = length;
    const reach = Math.max(8, length >> 1);
    for (let distance = 0; distance <= reach; distance++) {
      for (const candidateLength of distance === 0 ? [length] : [length - distance, length + distance]) {
        for (const entry of this.#byLength.get(candidateLength) ?? []) {
          if (entry === seed || (smallOnly && !this.#isSmall(entry))) continue;
          if (found.length >= candidateLimit || tokens >= maxTokens) return found;
          found.push(entry);
          tokens += candidateLength;
        }
      }
    }
    return found;
  }

  #isSmall(entry: Entry): boolean {
    return this.#flowsOf.get(entry)?.some((flow) => flow.isSmall) ?? false;
  }

  #leave(entries: Entry[]): Entry[] {
    const work = entries.reduce((sum, entry) => sum + entry.ids.length, 0);
    this.#level += work / Math.max(1, this.#flows.size);
    this.#tokens -= work;
    for (const entry of entries) {
      for (const flow of this.#flowsOf.get(entry) ?? []) flow.served += entry.ids.length;
      this.#unindex(entry);
      entry.state = 'running';
    }
    return entries;
  }

  #index(entry: Entry): void {
    this.#tokens += entry.ids.length;
    const length = entry.ids.length;
    const same = this.#byLength.get(length);
    if (same === undefined) this.#byLength.set(length, new Set([entry]));
    else same.add(entry);
  }

  #unindex(entry: Entry): void {
    this.#flowsOf.delete(entry);
    const same = this.#byLength.get(entry.ids.length);
    same?.delete(entry);
    if (same?.size === 0) this.#byLength.delete(entry.ids.length);
  }
}
