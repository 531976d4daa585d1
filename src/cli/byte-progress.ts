import type { CliContext } from './context.ts';
import { formatBytes } from '../util/format-bytes.ts';

export interface ByteProgressOptions {
  readonly stderr: CliContext['stderr'] & { readonly columns?: number };
  /** What is going on, such as the name of a model. */
  readonly label: string;
  readonly totalBytes?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

const terminalStepMs = 100; // faster is not seen
const lineStepMs = 5000; // in a log
const barWidth = 12; // leaves room for a name in 80 columns

/** Says on stderr how far bytes are: a bar on a terminal, elsewhere a line every few seconds. */
export class ByteProgress {
  readonly #options: ByteProgressOptions;
  readonly #isTerminal: boolean;
  readonly #now: () => number;
  readonly #startedMs: number;
  #shownMs: number;
  #doneBytes = 0;
  #totalBytes: number;
  /** What was there when the first bytes came: a download that goes on. */
  #firstBytes: number | undefined;

  constructor(options: ByteProgressOptions) {
    this.#options = options;
    this.#isTerminal = options.stderr.isTTY === true;
    this.#now = options.now ?? (() => performance.now());
    this.#startedMs = this.#now();
    this.#shownMs = this.#startedMs;
    this.#totalBytes = options.totalBytes ?? 0;
  }

  add(bytes: number): void {
    this.set({ doneBytes: this.#doneBytes + bytes, totalBytes: this.#totalBytes });
  }

  set({ doneBytes, totalBytes }: { readonly doneBytes: number; readonly totalBytes: number }): void {
    this.#firstBytes ??= this.#doneBytes === 0 && this.#totalBytes === 0 ? doneBytes : 0;
    this.#doneBytes = doneBytes;
    this.#totalBytes = totalBytes;
    const nowMs = this.#now();
    if (nowMs - this.#shownMs < (this.#isTerminal ? terminalStepMs : lineStepMs)) return;
    this.#shownMs = nowMs;
    this.#show(nowMs);
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
    if (this.#isTerminal) this.#options.stderr.write(clearLine);
  }

  #show(nowMs: number): void {
    const { stderr, label } = this.#options;
    const share = this.#totalBytes === 0 ? 0 : Math.min(1, this.#doneBytes / this.#totalBytes);
    const bytesPerSecond = (this.#doneBytes - (this.#firstBytes ?? 0)) / ((nowMs - this.#startedMs) / 1000);
    const words = [
      `${Math.floor(share * 100)}%`,
      `${formatBytes(this.#doneBytes)} of ${formatBytes(this.#totalBytes)}`,
      `${formatBytes(bytesPerSecond)}/s`,
      ...(bytesPerSecond > 0 ? [`${formatSeconds((this.#totalBytes - this.#doneBytes) / bytesPerSecond)} left`] : []),
    ].join(', ');
    if (!this.#isTerminal) {
      stderr.write(`${label}: ${words}\n`);
      return;
    }
    const filled = Math.round(share * barWidth);
    const line = `[${'='.repeat(filled)}${' '.repeat(barWidth - filled)}] ${words}, ${label}`;
    stderr.write(`${clearLine}${line.slice(0, (stderr.columns ?? 80) - 1)}`);
  }
}

const clearLine = '\r\u001B[2K';

function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return seconds < 3600 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
