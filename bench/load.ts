import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  /** JSON bodies, sent in turn over all connections, so that no two in flight are the same. */
  readonly bodies: readonly string[];
  /** Requests in all, or seconds to run. */
  readonly amount?: number;
  readonly seconds?: number;
  /** An answer with fewer bytes than this lacks vectors and is an error. */
  readonly minBytes: number;
}

export interface LoadResult {
  readonly wallSeconds: number;
  readonly answered: number;
  readonly milliseconds: readonly number[];
}

/** A closed loop of clients in its own process, so that their work does not delay what this process times. */
export class Load {
  readonly #child: ChildProcess;
  readonly #result: Promise<LoadResult>;

  constructor(options: LoadOptions) {
    this.#child = fork(fileURLToPath(new URL('load-process.js', import.meta.url)));
    this.#result = receive(this.#child);
    this.#result.catch(() => {}); // reported to whoever awaits result()
    this.#child.send(options);
  }

  result(): Promise<LoadResult> {
    return this.#result;
  }

  /** Ends a load that runs for a time before its time. */
  stop(): void {
    this.#child.kill('SIGTERM');
  }
}

export function runLoad(options: LoadOptions): Promise<LoadResult> {
  return new Load(options).result();
}

async function receive(child: ChildProcess): Promise<LoadResult> {
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => [{ problem: `the load process ended with code ${String(code)}` }]),
  ])) as [LoadResult | { problem: string }];
  if ('problem' in message) throw new Error(message.problem);
  return message;
}
