import type { SingleBar } from 'cli-progress';
import type { CliContext } from './context.ts';

/** How far work is. */
export interface BarState {
  readonly done: number;
  /** In the unit of `done`; 0 while nobody knows it. */
  readonly total: number;
  /** What stands behind the bar. */
  readonly words: string;
}

const quietMs = 1000; // short work shows nothing
const barColumns = 12; // leaves room for words in 80 columns

/** A line on stderr that appears after a second where stderr is a terminal, and goes at the end. */
export class TerminalBar {
  readonly #stderr: CliContext['stderr'];
  readonly #timer: NodeJS.Timeout | undefined;
  #bar: SingleBar | undefined;
  #isDone = false;
  #state: BarState = { done: 0, total: 0, words: '' };

  constructor(stderr: CliContext['stderr']) {
    this.#stderr = stderr;
    if (stderr.isTTY === true) this.#timer = setTimeout(() => void this.#show(), quietMs).unref();
  }

  update(state: BarState): void {
    this.#state = state;
    this.#bar?.setTotal(state.total);
    this.#bar?.update(state.done, { words: state.words });
  }

  /** Removes the line. */
  stop(): void {
    this.#isDone = true;
    clearTimeout(this.#timer);
    this.#bar?.stop();
  }

  async #show(): Promise<void> {
    const { default: cliProgress } = await import('cli-progress'); // the other commands start without it
    if (this.#isDone) return;
    // A writable that is a terminal is the process's own tty stream, which is what the type asks for.
    const stream = this.#stderr as NodeJS.WriteStream;
    this.#bar = new cliProgress.SingleBar({
      stream,
      format: (_, { progress, total }, { words }) => `${total === 0 ? '' : toBar(progress)}${words}`,
      clearOnComplete: true,
      hideCursor: true,
    });
    const { done, total, words } = this.#state;
    this.#bar.start(total, done, { words });
  }
}

function toBar(share: number): string {
  const filled = Math.round(share * barColumns);
  return `[${'='.repeat(filled)}${' '.repeat(barColumns - filled)}] ${Math.floor(share * 100)}%, `;
}
