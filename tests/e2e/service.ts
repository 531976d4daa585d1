import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { importBuilt } from '../built.ts';

const root = join(import.meta.dirname, '../..');
export const bundledModel = 'sentence-transformers/all-MiniLM-L6-v2';

export interface Service {
  readonly url: string;
  readonly pid: number;
  /** Lines of the log so far. */
  readonly log: readonly string[];
  /** What it and its children said on stderr. */
  readonly errors: readonly string[];
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  kill(signal: NodeJS.Signals): void;
}

/** The built service as a process of its own on a free port, ready and whatever settings this machine has. */
export async function startService(...flags: readonly string[]): Promise<Service> {
  return startServiceWith({}, ...flags);
}

/** The same with variables of the environment. */
export async function startServiceWith(
  variables: Readonly<Record<string, string>>,
  ...flags: readonly string[]
): Promise<Service> {
  return startServiceIn({ variables }, ...flags);
}

interface Surroundings {
  readonly variables?: Readonly<Record<string, string>>;
  /** A line of shell before it, such as `ulimit -n 64`. */
  readonly before?: string;
  /** Whether it need not become ready. */
  readonly isUnready?: boolean;
}

/** The same in surroundings of its own. */
export async function startServiceIn(
  { variables = {}, before = ':', isUnready = false }: Surroundings,
  ...flags: readonly string[]
): Promise<Service> {
  await importBuilt('config.ts'); // throws where dist is stale
  const args = [join(root, 'dist/cli.js'), 'serve', '--host', '127.0.0.1', '--port', '0', ...flags];
  const child = spawn('/bin/sh', ['-c', `${before}; exec "$@"`, 'sh', process.execPath, ...args], {
    cwd: tmpdir(), // a .env of the developer must not count
    env: { PATH: process.env['PATH'], HF_HUB_CACHE: join(tmpdir(), 'no-such-cache'), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  const errors: string[] = [];
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ?? code ?? -1));
  });
  createInterface({ input: child.stdout }).on('line', (line) => log.push(line));
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
  const url = await until('the service listens', () => /"url":"([^"]+)"/.exec(log.join('\n'))?.[1]);
  if (!isUnready) await until('the service is ready', async () => (await fetch(`${url}/readyz`)).ok);
  return { url, pid: child.pid ?? -1, log, errors, ended, kill: (signal) => child.kill(signal) };
}

/** Waits for a true value of `probe`. */
export async function until<T>(what: string, probe: () => T | Promise<T>, seconds = 30): Promise<NonNullable<T>> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s until ${what}`);
    await sleep(10);
  }
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: {
    readonly data?: readonly { readonly embedding: readonly number[] }[];
    readonly error?: { readonly code: string | null; readonly message: string };
  };
}

export async function ask(url: string, model: string, input: readonly (readonly number[])[]): Promise<Answer> {
  const response = await fetch(`${url}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, input }),
  });
  const body = (await response.json()) as Answer['body']; // the tests look at what they need
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body };
}

/** Some seconds of work for one thread: this many requests of 16 inputs, no two inputs equal. Returns once the service works on all. */
export async function startLoad(url: string, model: string, requests: number): Promise<readonly Promise<Answer>[]> {
  const load = Array.from({ length: requests }, async (_, request) => ask(url, model, distinctInputs(request, 16)));
  for (const answer of load) answer.catch(() => {}); // who asks for one gets its error
  await until('all requests are accepted', async () => (await inFlight(url)) === requests);
  return load;
}

/** Token ids, 64 to an input, different from seed to seed. */
export function distinctInputs(seed: number, count: number): readonly (readonly number[])[] {
  const id = (input: number, position: number): number =>
    2000 + ((seed * 7919 + input * 104_729 + position * 31) % 25_000);
  return Array.from({ length: count }, (_, input) => [
    101,
    ...Array.from({ length: 62 }, (_, at) => id(input, at)),
    102,
  ]);
}

async function inFlight(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^embeddings_requests_in_flight (\d+)$/m.exec(text)?.[1] ?? 0);
}

export async function runnerPids(url: string, headers: Record<string, string> = {}): Promise<readonly number[]> {
  const info = (await (await fetch(`${url}/info`, { headers })).json()) as { runner_pids: readonly number[] };
  return info.runner_pids;
}
