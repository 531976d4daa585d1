import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Contestant } from './contestant.ts';
import { ensurePython } from './python.ts';
import type { PythonSide } from './python.ts';
import { computeReference } from './reference.ts';
import type { Report } from './report.ts';
import { startServer } from './server.ts';
import type { RunningServer, ServerOptions } from './server.ts';

export interface ContextOptions {
  readonly root: string;
  readonly dist: string;
  readonly model: string;
  readonly quick: boolean;
  /** Of `peers`, instead of its own number. */
  readonly rounds?: number | undefined;
  readonly report: Report;
}

/** What every part of the benchmark works with. */
export interface Context extends ContextOptions {
  /** All texts, in the fixed order of the file. */
  readonly texts: readonly string[];
  /** Short texts, each different. */
  readonly queries: readonly string[];
  /** More of them, a little longer: enough for 256 clients. */
  readonly shortTexts: readonly string[];
  /** Folder for logs and vectors; ours works in it, so that no `.env` file of the checkout changes a number. */
  readonly scratch: string;
  readonly python: () => PythonSide;
  /** The vectors of all texts by sentence-transformers, one buffer `[rows][dim]`. */
  readonly reference: () => Promise<Float32Array>;
  /** Our server, as `make serve` runs it, when it has answered with that model. */
  readonly startOurServer: (
    env?: Readonly<Record<string, string>>,
    model?: string,
    options?: Pick<ServerOptions, 'startLimitSeconds' | 'onSpawn'>,
  ) => Promise<RunningServer>;
  /** Our engine as a library in a process of its own, ready; with `cores` it keeps to those. */
  readonly startOurEngine: (
    env?: Readonly<Record<string, string>>,
    options?: { readonly cores?: string },
  ) => Promise<Contestant>;
}

const allocator = { MALLOC_MMAP_THRESHOLD_: '131072' }; // as in the Makefile
const quickTexts = 512; // eight batches of 64: four clients never have the same one in flight

export function createContext(options: ContextOptions): Context {
  const { root, dist, model, quick } = options;
  const scratch = join(root, '.bench');
  const all = readFileSync(join(root, 'bench/texts.jsonl'), 'utf8').trim().split('\n').map(readText);
  const texts = quick ? all.slice(0, quickTexts) : all;
  let python: PythonSide | undefined;
  let reference: Promise<Float32Array> | undefined;
  return {
    ...options,
    texts,
    queries: all.filter((text) => text.length < 70),
    shortTexts: all.filter((text) => text.length < 110),
    scratch,
    python: () => (python ??= ensurePython(root)),
    reference: () =>
      (reference ??= computeReference({ root, scratch, texts, python: (python ??= ensurePython(root)) })),
    startOurServer: (env = {}, first = model, options = {}) =>
      startServer({
        ...options,
        command: process.execPath,
        args: () => [join(dist, 'cli.js'), 'serve'],
        env: (port) => ({ ...allocator, ...env, EMBEDDINGS_HOST: '127.0.0.1', EMBEDDINGS_PORT: String(port) }),
        cwd: scratch,
        model: first,
        logFile: join(scratch, 'server.log'),
      }),
    startOurEngine: async (env = {}, { cores } = {}) => {
      const node = [process.execPath, join(root, '.bench/build/engine-worker.js'), dist, model];
      const [command = '', ...args] = cores === undefined ? node : ['taskset', '-c', cores, ...node];
      const engine = new Contestant({ command, args, cwd: scratch, env });
      await engine.next();
      return engine;
    },
  };
}

function readText(line: string): string {
  const { text } = JSON.parse(line) as { text: string };
  return text;
}

/** Texts in batches of `size`; the last may be smaller. */
export function toBatches(texts: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(texts.length / size) }, (_, i) => texts.slice(i * size, (i + 1) * size));
}

/** The body of a request for base64 vectors. */
export function toBody(model: string, input: string | readonly string[]): string {
  return JSON.stringify({ model, input, encoding_format: 'base64' });
}
