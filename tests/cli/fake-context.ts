import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pino } from 'pino';
import type { CliApp, CliContext, Download, StopSignal } from '../../src/cli/context.ts';
import type { VectorSource } from '../../src/embed.ts';
import { runCli } from '../../src/cli/program.ts';
import type { EmbedRequest } from '../../src/request/embed-request.ts';

export interface FakeOptions {
  readonly app?: Partial<CliApp>;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;
  readonly download?: Download;
  /** Stands for a terminal on stdin. */
  readonly isTTY?: boolean;
  readonly stdout?: Writable;
  /** The app is ready only after this. */
  readonly starting?: Promise<void>;
}

export const fakeSource: VectorSource = {
  repository: 'org/a',
  origin: 'local',
  dtype: 'float32',
  pooling: 'mean',
  prompt: '',
};

/** Vectors `[length of the text, index in the request, 0.5]`, one token a character. */
export const fakeEmbed: CliApp['embed'] = async ({ items, dimensions }: EmbedRequest) => {
  const dim = dimensions ?? 3;
  const lengths = items.map((item) => (item.kind === 'text' ? item.text.length : item.ids.length));
  const data = Float32Array.from(lengths.flatMap((length, index) => [length, index, 0.5].slice(0, dim)));
  return {
    vectors: { data, rows: items.length, dim },
    promptTokens: lengths.reduce((sum, length) => sum + length, 0),
    cuts: [],
    source: fakeSource,
  };
};

/** Runs the command line in this process against a fake app, an allowlist of its own and no other setting. */
export function startCli(
  argv: readonly string[],
  { app, env, stdin = [], isTTY = false, stdout, starting, download }: FakeOptions = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'embeddings-cli-'));
  const supportedModels = join(folder, 'models.txt');
  writeFileSync(supportedModels, 'acme/one\nacme/two alias=two\n');
  const output = { stdout: '', stderr: '', log: '' };
  const listeners = new Set<(signal: StopSignal) => void>();
  const faultListeners = new Set<(error: unknown, origin: string) => void>();
  const created: Record<string, unknown>[] = [];
  let closed = 0;
  let sparesClosed = 0;
  const collect = (name: keyof typeof output): Writable =>
    new Writable({ write: (chunk, _, done) => ((output[name] += String(chunk)), done()) });
  const context: CliContext = {
    env: { EMBEDDINGS_SUPPORTED_MODELS: supportedModels, HF_HUB_CACHE: join(folder, 'hub'), ...env },
    envFile: join(folder, '.env'),
    stdin: Object.assign(Readable.from(toBytes(stdin)), { isTTY }),
    stdout: stdout ?? collect('stdout'),
    stderr: collect('stderr'),
    loadDownload: async () => download ?? (async () => Promise.reject(new Error('no download in this test'))),
    startSpareRunner: () => ({
      open: () => ({ pid: undefined, send: () => {}, kill: () => {} }),
      close: () => void sparesClosed++,
    }),
    createLogger: async ({ level, to }) => pino({ level, base: { to } }, collect('log')),
    loadCreateApp: async () => async (options) => {
      created.push({ ...options });
      await starting;
      const close = async (): Promise<void> => void closed++;
      return { embed: fakeEmbed, listen: async () => ({ url: 'http://localhost:1234' }), close, ...app };
    },
    onStopSignal: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    onUncaught: (listener) => (faultListeners.add(listener), () => faultListeners.delete(listener)),
  };
  const exitCode = runCli(argv, context).finally(() => rmSync(folder, { recursive: true }));
  const signal = (name: StopSignal): void => listeners.forEach((listener) => listener(name));
  const fault = (error: unknown): void => faultListeners.forEach((listener) => listener(error, 'uncaughtException'));
  return {
    exitCode,
    output,
    signal,
    fault,
    faultListeners,
    created,
    folder,
    closedTimes: () => closed,
    sparesClosed: () => sparesClosed,
    listeners,
  };
}

/** Runs to the end. */
export async function cli(argv: readonly string[], options?: FakeOptions) {
  const run = startCli(argv, options);
  const exitCode = await run.exitCode;
  return {
    ...run.output,
    exitCode,
    closed: run.closedTimes(),
    sparesClosed: run.sparesClosed(),
    created: run.created,
    listening: run.listeners.size,
  };
}

async function* toBytes(chunks: NonNullable<FakeOptions['stdin']>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}
