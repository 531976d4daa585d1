import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { toReason } from './message.ts';
import { startCpuMeter } from './process-tree.ts';

const errorCharacters = 10_000; // the end of what a program printed, to say why it ended

export interface ContestantOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program under measurement: one JSON command a line in, one JSON answer a line out. */
export class Contestant {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: AsyncIterator<string>;
  readonly #name: string;
  readonly #closed: Promise<unknown>;
  #errors = '';

  constructor({ command, args, cwd, env = {} }: ContestantOptions) {
    this.#name = [command, ...args].map((word) => basename(word)).join(' ');
    this.#child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'pipe' });
    this.#closed = once(this.#child, 'close').catch(() => {});
    // A program that cannot start also closes stdout: next() reports it.
    this.#child.on('error', (error) => (this.#errors += String(error)));
    this.#child.stdin.on('error', () => {}); // likewise one that is gone
    this.#child.stderr.on('data', (chunk: Buffer) => {
      process.stderr.write(chunk);
      this.#errors = (this.#errors + chunk.toString()).slice(-errorCharacters);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** The next answer. Contestants send one unasked when they are ready. */
  async next(): Promise<unknown> {
    const line = await this.#lines.next();
    if (line.done === true) {
      await this.#closed;
      throw new Error(`${this.#name} ended without an answer: ${toReason(this.#errors)}`);
    }
    return JSON.parse(line.value);
  }

  async ask(command: object): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    return this.next();
  }

  /** Also counts the CPU seconds of the whole process tree while it answers. */
  async measure<T extends object>(command: object): Promise<T & { readonly cpuSeconds: number }> {
    const cpuSeconds = startCpuMeter(this.#child.pid ?? 0);
    // The cast names the answer's shape; both programs are part of this benchmark.
    const answer = (await this.ask(command)) as T;
    return { ...answer, cpuSeconds: cpuSeconds() };
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(timer);
  }
}
