import type { SingleBar } from 'cli-progress';
import type { CliContext } from './context.ts';

export interface ProgressOptions {
  readonly stderr: CliContext['stderr'];
  /** Bytes or texts of the whole work; unknown for a pipe. */
  readonly total: number | undefined;
}

const quietMs = 1000; // short work shows nothing

/** A bar on stderr that appears after a second where stderr is a terminal. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #timer: NodeJS.Timeout | undefined;
  #bar: SingleBar | undefined;
  #isDone = false;
  #done = 0;
  #texts = 0;
  #note = '';

  constructor(options: ProgressOptions) {
    this.#options = options;
    if (options.stderr.isTTY === true) this.#timer = setTimeout(() => void this.#show(), quietMs).unref();
  }

  /** Says what is going on, such as the loading of a model. */
  note(text: string): void {
    this.#note = text;
    this.#update();
  }

  /** `done` counts in the unit of `total`. */
  advance({ done, texts }: { readonly done: number; readonly texts: number }): void {
    this.#done = done;
    this.#texts = texts;
    this.#note = '';
    this.#update();
  }

  /** Removes the bar. */
  stop(): void {
    this.#isDone = true;
    clearTimeout(this.#timer);
    this.#bar?.stop();
  }

  async #show(): Promise<void> {
    const { default: cliProgress } = await import('cli-progress');
    if (this.#isDone) return;
    const { stderr, total } = this.#options;
    const bar = total === undefined ? '' : '{bar} {percentage}% | ETA {eta_formatted} | ';
    // A writable that is a terminal is the process's own tty stream, which is what the type asks for.
    const stream = stderr as NodeJS.WriteStream;
    this.#bar = new cliProgress.SingleBar({
      stream,
      format: `${bar}{texts} texts {note}`,
      clearOnComplete: true,
      hideCursor: true,
    });
    this.#bar.start(total ?? 0, this.#done, { texts: this.#texts, note: this.#note });
  }

  #update(): void {
    this.#bar?.update(this.#done, { texts: this.#texts, note: this.#note });
  }
}
