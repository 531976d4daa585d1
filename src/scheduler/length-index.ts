import type { CallerQueue } from './caller-queue.ts';
import type { Entry } from './entry.ts';

/** Waiting entries by length in tokens, those of each caller together. */
export class LengthIndex {
  readonly #lengths = new Map<number, Map<CallerQueue, Set<Entry>>>();

  add(entry: Entry, owner: CallerQueue): void {
    const { length } = entry.ids;
    let owners = this.#lengths.get(length);
    if (owners === undefined) this.#lengths.set(length, (owners = new Map<CallerQueue, Set<Entry>>()));
    const same = owners.get(owner);
    if (same === undefined) owners.set(owner, new Set([entry]));
    else same.add(entry);
  }

  delete(entry: Entry, owner: CallerQueue): void {
    const { length } = entry.ids;
    const owners = this.#lengths.get(length);
    const same = owners?.get(owner);
    if (owners === undefined || same === undefined) return;
    same.delete(entry);
    if (same.size > 0) return;
    owners.delete(owner);
    if (owners.size === 0) this.#lengths.delete(length);
  }

  /** Entries of that length of one caller. */
  *of(owner: CallerQueue, length: number): Iterable<Entry> {
    yield* this.#lengths.get(length)?.get(owner) ?? [];
  }

  /** Entries of that length of all others. */
  *ofOthers(owner: CallerQueue, length: number): Iterable<Entry> {
    for (const [other, entries] of this.#lengths.get(length) ?? []) if (other !== owner) yield* entries;
  }
}
