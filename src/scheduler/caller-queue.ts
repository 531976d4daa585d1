import { Heap } from '../util/heap.ts';
import type { Entry } from './entry.ts';

/** The waiting entries of one request. */
export interface Flow {
  readonly owner: CallerQueue;
  entries: readonly Entry[];
  /** Entries before it have left the queue. */
  head: number;
  /** Entries that have not. */
  waiting: number;
  /** Tokens this request has been served, counted from the service level at which it came. */
  served: number;
  /** Tokens it came with. */
  readonly size: number;
  readonly isSmall: boolean;
}

interface NewFlow extends Pick<Flow, 'size' | 'isSmall'> {
  /** Tokens that it is taken to have been served less than the others. */
  readonly headStart: number;
}

/** What waits of one caller: its requests, the one that has been served the fewest tokens first. */
export class CallerQueue {
  readonly name: string;
  /** Tokens this caller has been served, counted from the service level at which its first request came. */
  served = 0;
  /** Waiting tokens that it was the first to ask for. */
  tokens = 0;
  /** Requests of which something waits, and the tokens they came with. */
  requests = 0;
  askedTokens = 0;
  /**
   * By the tokens each had been served when it was put there. Those only grow, so whatever stands first with its
   * present number is the least: a charge costs nothing, and a pick the logarithm of their count.
   */
  readonly #flows = new Heap<Flow>();
  /**
   * What a request would have been served had it waited from the start: rises by each request's fair share of the
   * work (virtual time of generalised processor sharing), so that newcomers never stay ahead of those who wait.
   */
  #level = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Adds a request of at least one entry. */
  add(entries: readonly Entry[], { size, isSmall, headStart }: NewFlow): Flow {
    const served = this.#level - (isSmall ? headStart : 0);
    const flow: Flow = { owner: this, entries, head: 0, waiting: entries.length, served, size, isSmall };
    this.askedTokens += size;
    this.#flows.push(flow, served);
    this.requests++;
    return flow;
  }

  /** One entry of a request has left the queue. */
  leave(flow: Flow): void {
    if (--flow.waiting > 0) return;
    this.askedTokens -= flow.size;
    flow.entries = []; // it may stay in the heap for a while
    if (--this.requests === 0) this.#flows.clear();
  }

  /** The request whose turn it is; undefined when nothing waits. */
  next(): Flow | undefined {
    for (let flow = this.#flows.first; flow !== undefined; flow = this.#flows.first) {
      if (flow.waiting === 0) this.#flows.pop();
      else if (flow.served > this.#flows.firstKey) this.#flows.rekeyFirst(flow.served);
      else return flow;
    }
    return undefined;
  }

  /** It is the turn of `flow`: who comes from now on does not stand before it. */
  reach(flow: Flow): void {
    this.#level = Math.max(this.#level, flow.served);
  }

  /** Counts tokens that leave for a batch. */
  charge(tokens: number): void {
    this.served += tokens;
    this.#level += tokens / Math.max(1, this.requests);
  }
}
