import { formatBytes } from '../util/format-bytes.ts';
import type { CliContext } from './context.ts';
import { TerminalBar } from './terminal-bar.ts';
import { formatTimeLeft } from './time-left.ts';

export interface ByteProgressOptions {
  readonly stderr: CliContext['stderr'];
  /** What is going on, such as the name of a model. */
  readonly label: string;
  readonly totalBytes?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

interface ByteState {
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** For another process, so that no speed of ours says when it ends. */
  readonly isWaiting?: boolean;
}

const lineStepMs = 5000;

/** Shows how far work is, and removes the bar when it ends, however that is. */
export async function withByteProgress<T>(
  options: ByteProgressOptions,
  work: (progress: ByteProgress) => Promise<T>,
): Promise<T> {
  const progress = new ByteProgress(options);
  try {
    return await work(progress);
  } finally {
    progress.stop();
  }
}

/** Says on stderr how far bytes are: a bar on a terminal, elsewhere a line every few seconds. */
export class ByteProgress {
  readonly #options: ByteProgressOptions;
  readonly #bar: TerminalBar;
  readonly #now: () => number;
  #startedMs: number;
  #shownMs: number;
  #doneBytes = 0;
  #totalBytes: number;
  /** What was there when the first bytes came: a download that goes on. */
  #firstBytes: number | undefined;
  #isWaiting = false;

  constructor(options: ByteProgressOptions) {
    this.#options = options;
    this.#bar = new TerminalBar(options.stderr);
    this.#now = options.now ?? (() => performance.now());
    this.#startedMs = this.#now();
    this.#shownMs = this.#startedMs;
    this.#totalBytes = options.totalBytes ?? 0;
  }

  add(bytes: number): void {
    this.set({ doneBytes: this.#doneBytes + bytes, totalBytes: this.#totalBytes });
  }

  set({ doneBytes, totalBytes, isWaiting = false }: ByteState): void {
    this.#firstBytes ??= this.#doneBytes === 0 && this.#totalBytes === 0 ? doneBytes : 0;
    this.#doneBytes = doneBytes;
    this.#totalBytes = totalBytes;
    if (this.#isWaiting && !isWaiting) this.#beginAnew();
    this.#isWaiting = isWaiting;
    const { stderr, label } = this.#options;
    const nowMs = this.#now();
    const words = this.#describe(nowMs);
    this.#bar.update({ done: doneBytes, total: totalBytes, words: `${words}, ${label}` });
    if (stderr.isTTY === true || nowMs - this.#shownMs < lineStepMs) return;
    this.#shownMs = nowMs;
    const share = totalBytes === 0 ? 0 : Math.min(1, doneBytes / totalBytes);
    stderr.write(`${label}: ${Math.floor(share * 100)}%, ${words}\n`);
  }

  /** For work that says how much there is before it begins. */
  get hooks(): { readonly onStart: (totalBytes: number) => void; readonly onBytes: (bytes: number) => void } {
    return {
      onStart: (totalBytes) => this.set({ doneBytes: 0, totalBytes }),
      onBytes: (bytes) => this.add(bytes),
    };
  }

  /** Removes the bar. */
  stop(): void {
    this.#bar.stop();
  }

  /** The speed is that of what comes from now on: the bytes before were fetched by another process. */
  #beginAnew(): void {
    this.#startedMs = this.#now();
    this.#firstBytes = this.#doneBytes;
  }

  #describe(nowMs: number): string {
    const amount = `${formatBytes(this.#doneBytes)} of ${formatBytes(this.#totalBytes)}`;
    if (this.#isWaiting) return `${amount}, another process is downloading`;
    const seconds = (nowMs - this.#startedMs) / 1000;
    const bytesPerSecond = seconds === 0 ? 0 : (this.#doneBytes - (this.#firstBytes ?? 0)) / seconds;
    return [
      amount,
      `${formatBytes(bytesPerSecond)}/s`,
      formatTimeLeft({ left: this.#totalBytes - this.#doneBytes, perSecond: bytesPerSecond }),
    ]
      .filter((words) => words !== '')
      .join(', ');
  }
}
