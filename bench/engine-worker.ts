import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type { Logger } from 'pino';

// Our engine under measurement, as a library without HTTP; the protocol is that of st_worker.py.
//   node engine-worker.js DIST_DIR MODEL

/** What the benchmark uses of the library, so that it can measure any build of it. */
interface Library {
  loadConfig: (input: { env: NodeJS.ProcessEnv }) => { config: unknown };
  createApp: (options: { config: unknown; logger: Logger }) => Promise<App>;
}
interface App {
  embed(request: { model: string; items: { kind: 'text'; text: string }[] }): Promise<{
    vectors: { data: Float32Array; rows: number; dim: number };
    promptTokens: number;
  }>;
  close(): Promise<void>;
}

/** `batches` run with `concurrency` of them in flight; each answer's time is in `milliseconds`. */
interface Command {
  readonly batches: readonly (readonly string[])[];
  readonly concurrency: number;
  readonly vectors?: string;
}

const [distDir = '', model = ''] = process.argv.slice(2);
const { createApp, loadConfig } = await load(distDir);
const { pino } = await import('pino');
const app = await createApp({
  config: loadConfig({ env: process.env }).config,
  logger: pino({ level: 'warn' }, pino.destination(2)),
});
await embedAll({ batches: [['warm up']], concurrency: 1 });
answer({ ready: true });
for await (const line of createInterface({ input: process.stdin })) answer(await embedAll(JSON.parse(line)));
await app.close();

async function load(dist: string): Promise<Library> {
  const { createApp } = await import(pathToFileURL(join(dist, 'app.js')).href);
  const { loadConfig } = await import(pathToFileURL(join(dist, 'config.js')).href);
  return { createApp, loadConfig };
}

async function embedAll({ batches, concurrency, vectors }: Command): Promise<object> {
  const milliseconds: number[] = [];
  const results: Float32Array[] = [];
  let [tokens, rows, dim, next] = [0, 0, 0, 0];
  const client = async (): Promise<void> => {
    for (let index = next++; index < batches.length; index = next++) {
      const items = (batches[index] ?? []).map((text) => ({ kind: 'text' as const, text }));
      const start = performance.now();
      const result = await app.embed({ model, items });
      milliseconds.push(performance.now() - start);
      tokens += result.promptTokens;
      rows += result.vectors.rows;
      dim = result.vectors.dim;
      if (vectors !== undefined) results[index] = result.vectors.data;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, client));
  const wallSeconds = (performance.now() - start) / 1000;
  if (vectors !== undefined) writeFileSync(vectors, Buffer.concat(results.map(toBytes)));
  return { wallSeconds, milliseconds, tokens, rows, dim };
}

function toBytes(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
