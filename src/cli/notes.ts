import type { CliContext } from './context.ts';

/** Says on stderr what is going on: one line that is rewritten on a terminal, elsewhere lines about long steps only. */
export class Notes {
  readonly #stderr: CliContext['stderr'];

  constructor(stderr: CliContext['stderr']) {
    this.#stderr = stderr;
  }

  /** Before a step that may block; `isLong` where it will take more than a second. */
  note(text: string, { isLong }: { readonly isLong: boolean }): void {
    if (this.#stderr.isTTY === true) this.#stderr.write(`${clearLine}${text} ...`);
    else if (isLong) this.#stderr.write(`${text} ...\n`);
  }

  clear(): void {
    if (this.#stderr.isTTY === true) this.#stderr.write(clearLine);
  }
}

const clearLine = '\r\u001B[2K';
