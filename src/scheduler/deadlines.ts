import { Heap } from '../util/heap.ts';
import type { Entry, Submission } from './entry.ts';

interface Timed {
  readonly submission: Submission;
  readonly entries: readonly Entry[];
}

/** Requests that are of no use after some moment, the earliest first. */
export class Deadlines {
  readonly #heap = new Heap<Timed>();
  #sizeAfterSweep = 0;

  /** Those kept, answered ones among them. */
  get size(): number {
    return this.#heap.size;
  }

  add(submission: Submission, entries: readonly Entry[], deadlineMs: number | undefined): void {
    if (deadlineMs !== undefined) this.#heap.push({ submission, entries }, deadlineMs);
    this.#forgetSettled();
  }

  /** Takes out those that must be done before `nowMs`, have no answer yet, and are not being computed to the last input. */
  takeBefore(nowMs: number): readonly Timed[] {
    const late: Timed[] = [];
    while (this.#heap.firstKey < nowMs) {
      const timed = this.#heap.pop();
      if (timed === undefined || timed.submission.isSettled) continue;
      if (timed.entries.some(({ state }) => state === 'waiting')) late.push(timed);
    }
    return late;
  }

  /** Most are answered long before their time, which may be minutes away. */
  #forgetSettled(): void {
    while (this.#heap.first?.submission.isSettled === true) this.#heap.pop();
    if (this.#heap.size < 2 * this.#sizeAfterSweep + 1024) return;
    this.#heap.keep(({ submission }) => !submission.isSettled);
    this.#sizeAfterSweep = this.#heap.size;
  }
}
