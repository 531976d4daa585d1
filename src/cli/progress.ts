import type { CliContext } from './context.ts';
import { TerminalBar } from './terminal-bar.ts';
import { formatTimeLeft } from './time-left.ts';

export interface ProgressOptions {
  readonly stderr: CliContext['stderr'];
  /** Bytes or texts of the whole work; unknown for a pipe. */
  readonly total: number | undefined;
}

/** Says on a terminal how many texts are embedded. */
export class Progress {
  readonly #bar: TerminalBar;
  readonly #total: number;
  #done = 0;
  #texts = 0;
  #startedMs = performance.now();

  constructor({ stderr, total = 0 }: ProgressOptions) {
    this.#bar = new TerminalBar(stderr);
    this.#total = total;
  }

  /** Says what is going on, such as the loading of a model. */
  note(text: string): void {
    this.#startedMs = performance.now(); // until a model is loaded no text is on its way
    this.#update(text);
  }

  /** `done` counts in the unit of `total`. */
  advance({ done, texts }: { readonly done: number; readonly texts: number }): void {
    this.#done = done;
    this.#texts = texts;
    const perSecond = (done / (performance.now() - this.#startedMs)) * 1000;
    this.#update(this.#total === 0 ? '' : formatTimeLeft({ left: this.#total - done, perSecond }));
  }

  /** Removes the bar. */
  stop(): void {
    this.#bar.stop();
  }

  #update(note: string): void {
    this.#bar.update({
      done: this.#done,
      total: this.#total,
      words: [`${this.#texts} texts`, note].filter((word) => word !== '').join(', '),
    });
  }
}
