import { CallerQueue, type Flow } from './caller-queue.ts';
import type { Entry } from './entry.ts';
import { LengthIndex } from './length-index.ts';
import type { PackLimits } from './pack.ts';
import { pack } from './pack.ts';

const candidateLimit = 256; // sequences looked at for one batch; bounds the work of one pick

/**
 * What waits, shared fairly: the caller that has been served the fewest tokens, and of its requests the one that has
 * been served the fewest, gives the next batch its seed. So a caller of a hundred requests gets no more than one of a
 * single request, and a request of 2048 inputs cannot starve a single query. A batch seeded by a small request takes no
 * part of large ones, so that its answer does not wait for their work. Whoever's entries join a batch is charged for them.
 */
export class Queue {
  /** Those of whom something waits. */
  readonly #active = new Set<CallerQueue>();
  /** Those, and the ones that were served more than their share when they were last active. */
  readonly #callers = new Map<string, CallerQueue>();
  readonly #all = new LengthIndex();
  /** Those that a small request waits for: looking for them does not pass by the thousands of a large one. */
  readonly #small = new LengthIndex();
  readonly #flowsOf = new Map<Entry, Flow[]>();
  readonly #retries: Entry[] = [];
  readonly #smallTokens: number;
  readonly #headStart: number;
  /**
   * What the caller that is furthest behind has been served, the highest it ever was (virtual time of start-time fair
   * queueing): where a caller begins that comes anew. One that was served more than that is remembered.
   */
  #level = 0;
  #tokens = 0;

  /** Requests of at most `smallTokens` tokens count as small. */
  constructor({ smallTokens }: { readonly smallTokens: number }) {
    this.#smallTokens = smallTokens;
    // Large requests are a batch apart from each other: with a batch's head start a small one overtakes them all.
    this.#headStart = 2 * smallTokens;
  }

  get tokens(): number {
    return this.#tokens;
  }

  /** Waiting tokens that this caller was the first to ask for. */
  tokensOf(caller: string): number {
    return this.#callers.get(caller)?.tokens ?? 0;
  }

  /**
   * Tokens that are served before a new request of this caller is done, its own left out; about, and rather too many.
   * Each request beside it gets as much as it does, or all it came with: what those have had already does not shorten
   * the wait, for under load others come in their place.
   */
  tokensBefore(tokens: number, caller: string): number {
    const mine = this.#callers.get(caller);
    const own = mine === undefined ? 0 : Math.min(mine.askedTokens, mine.requests * tokens);
    let before = own;
    for (const other of this.#active) if (other !== mine) before += Math.min(other.askedTokens, own + tokens);
    return before;
  }

  /** Adds a request. Its entries may already wait for other requests. */
  add(entries: readonly Entry[], caller = ''): void {
    if (entries.length === 0) return;
    const tokens = entries.reduce((sum, entry) => sum + entry.ids.length, 0);
    const owner = this.#activate(caller);
    const flow = owner.add(entries, { size: tokens, isSmall: tokens <= this.#smallTokens, headStart: this.#headStart });
    for (const entry of entries) {
      const flows = this.#flowsOf.get(entry);
      if (flows === undefined) {
        this.#flowsOf.set(entry, [flow]);
        this.#tokens += entry.ids.length;
        owner.tokens += entry.ids.length;
        this.#all.add(entry, owner);
      } else flows.push(flow);
      if (flow.isSmall) this.#small.add(entry, flows?.[0]?.owner ?? owner);
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
    const seed = flow && this.#headOf(flow);
    if (flow === undefined || seed === undefined) return [];
    flow.owner.reach(flow);
    const candidates = [seed, ...this.#near(seed, flow, limits.maxTokens)];
    const lengths = candidates.map((entry) => entry.ids.length);
    return this.#leave(pack(lengths, limits).map((index) => candidates[index]!));
  }

  #activate(name: string): CallerQueue {
    let caller = this.#callers.get(name);
    if (caller === undefined) {
      caller = new CallerQueue(name);
      this.#callers.set(name, caller);
    }
    if (caller.requests === 0) {
      caller.served = Math.max(caller.served, this.#level); // what it did not ask for is not owed to it
      this.#active.add(caller);
    }
    return caller;
  }

  /**
   * The head start of small requests holds among callers too. It is no credit: what they are served is charged, so a
   * caller of nothing but small requests is ahead of its share by no more than this.
   */
  #nextFlow(): Flow | undefined {
    let next: Flow | undefined;
    let least = Infinity;
    let level = Infinity;
    for (const caller of this.#active) {
      const flow = caller.next();
      if (flow === undefined) continue;
      level = Math.min(level, caller.served);
      const served = caller.served - (flow.isSmall ? this.#headStart : 0);
      if (served >= least) continue;
      least = served;
      next = flow;
    }
    if (next !== undefined) this.#level = Math.max(this.#level, level);
    return next;
  }

  #headOf(flow: Flow): Entry | undefined {
    while (flow.head < flow.entries.length && !this.#flowsOf.has(flow.entries[flow.head]!)) flow.head++;
    return flow.entries[flow.head];
  }

  /**
   * Other waiting entries, nearest in length first: those of the caller whose turn it is, as many as would fill the
   * batch, before those of others.
   */
  #near(seed: Entry, { owner, isSmall }: Flow, maxTokens: number): Entry[] {
    const index = isSmall ? this.#small : this.#all;
    const found: Entry[] = [];
    const { length } = seed.ids;
    const collect = (entriesOf: (length: number) => Iterable<Entry>): void => {
      let tokens = length;
      const reach = Math.max(8, length >> 1);
      for (let distance = 0; distance <= reach; distance++) {
        for (const candidateLength of distance === 0 ? [length] : [length - distance, length + distance]) {
          for (const entry of entriesOf(candidateLength)) {
            if (entry === seed) continue;
            if (found.length >= candidateLimit || tokens >= maxTokens) return;
            found.push(entry);
            tokens += candidateLength;
          }
        }
      }
    };
    collect((near) => index.of(owner, near));
    if (this.#active.size > 1) collect((near) => index.ofOthers(owner, near));
    return found;
  }

  #leave(entries: Entry[]): Entry[] {
    const work = entries.reduce((sum, entry) => sum + entry.ids.length, 0);
    this.#tokens -= work;
    for (const entry of entries) this.#charge(entry); // all of them before any request is done: shares are of this moment
    for (const entry of entries) {
      this.#unindex(entry);
      entry.state = 'running';
    }
    return entries;
  }

  /** Each request that waits for it, and each of their callers once. */
  #charge(entry: Entry): void {
    const tokens = entry.ids.length;
    const flows = this.#flowsOf.get(entry) ?? [];
    for (const flow of flows) flow.served += tokens;
    for (const owner of new Set(flows.map((flow) => flow.owner))) owner.charge(tokens);
  }

  #unindex(entry: Entry): void {
    const flows = this.#flowsOf.get(entry) ?? [];
    this.#flowsOf.delete(entry);
    const owner = flows[0]?.owner;
    if (owner === undefined) return; // it was put back after a failure
    owner.tokens -= entry.ids.length;
    this.#all.delete(entry, owner);
    this.#small.delete(entry, owner);
    for (const flow of flows) {
      flow.owner.leave(flow);
      if (flow.owner.requests === 0) this.#rest(flow.owner);
    }
  }

  #rest(caller: CallerQueue): void {
    this.#active.delete(caller);
    if (caller.served <= this.#level) this.#callers.delete(caller.name);
  }
}
