import { keyOf, type Entry, type Sequence, type Submission } from './entry.ts';

/** Every input that waits or runs, once: identical ones of several requests share an entry. */
export class InFlight {
  readonly #entries = new Map<string, Entry>();

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** In the order in which they came. */
  values(): Iterable<Entry> {
    return this.#entries.values();
  }

  /** The entries of a request's inputs, each once; `shared` is how many inputs had one already. */
  join(submission: Submission, inputs: readonly Sequence[], queuedAtMs: number): { entries: Entry[]; shared: number } {
    const entries = new Set<Entry>();
    let shared = 0;
    for (const [row, { ids, skip = 0 }] of inputs.entries()) {
      const key = keyOf({ ids, skip });
      let entry = this.#entries.get(key);
      if (entry === undefined) {
        entry = { ids, skip, key, queuedAtMs, waiters: [], state: 'waiting', failures: 0 };
        this.#entries.set(key, entry);
      } else shared++;
      entry.waiters.push({ submission, row });
      entries.add(entry);
    }
    return { entries: [...entries], shared };
  }

  /** Takes a request from these entries; gives those that wait for nobody now, which are no longer in flight. */
  leave(submission: Submission, entries: Iterable<Entry>): Entry[] {
    const unwanted: Entry[] = [];
    for (const entry of entries) {
      const wanted = entry.waiters.filter((waiter) => waiter.submission !== submission);
      entry.waiters.splice(0, entry.waiters.length, ...wanted);
      if (wanted.length === 0 && entry.state === 'waiting') unwanted.push(entry);
    }
    for (const { key } of unwanted) this.#entries.delete(key);
    return unwanted;
  }

  finish(entry: Entry): void {
    entry.state = 'done';
    this.#entries.delete(entry.key);
  }

  /** Takes all out. */
  clear(): Entry[] {
    const all = [...this.#entries.values()];
    this.#entries.clear();
    return all;
  }
}
