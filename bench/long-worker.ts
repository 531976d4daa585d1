import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

// One model folder in one session, as a runner process holds it; answers with the cost of one batch of texts of so many tokens.
//   node long-worker.js DIST_DIR FOLDER THREADS

interface Session {
  embed(batch: { ids: Int32Array; offsets: Int32Array }): Promise<{ data: Float32Array }>;
}

interface OpenedModel {
  compile: (options: object) => unknown;
  weightsFolder: string;
  shape: { positions: object };
}

/** What the benchmark uses of the library, so that it can measure any build of it. */
interface Library {
  openModel: (folder: string) => OpenedModel | Promise<OpenedModel>; // older builds need no wait
  serialize: (graph: unknown) => Uint8Array;
  Session: { load: (options: object) => Promise<Session> };
}

const [dist = '', folder = '', threads = '1'] = process.argv.slice(2);
const { openModel, serialize, Session } = await load();

const model = await openModel(folder);
const session = await Session.load({
  model: serialize(model.compile({ pooling: 'mean', provider: 'cpu' })),
  weightsFolder: model.weightsFolder,
  threads: Number(threads),
  provider: 'cpu',
  positions: model.shape.positions,
});
await embed(64); // every weight has been read
const residentMb = memory('VmRSS');
answer({ ready: true, residentMb });
for await (const line of createInterface({ input: process.stdin })) {
  const { tokens, texts = 1 } = JSON.parse(line) as { tokens: number; texts?: number };
  const cpu = process.cpuUsage();
  const start = performance.now();
  const { data } = await embed(tokens, texts);
  const { user, system } = process.cpuUsage(cpu);
  const isFinite = data.every(Number.isFinite);
  answer({
    cpuSeconds: (user + system) / 1e6,
    wallSeconds: (performance.now() - start) / 1000,
    aboveWeightsMb: memory('VmHWM') - residentMb,
    isFinite,
  });
}

async function load(): Promise<Library> {
  const files = ['models/open-model.js', 'graph/serialize.js', 'engine/session.js'];
  const modules = await Promise.all(files.map((file) => import(pathToFileURL(join(dist, file)).href)));
  return Object.assign({}, ...modules) as Library;
}

async function embed(tokens: number, texts = 1): Promise<{ data: Float32Array }> {
  const ids = Int32Array.from({ length: tokens * texts }, (_, index) => (index * 37) % 1000);
  return session.embed({ ids, offsets: Int32Array.from({ length: texts + 1 }, (_, index) => index * tokens) });
}

function memory(field: 'VmRSS' | 'VmHWM'): number {
  const match = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(match?.[1]) / 1000;
}

function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
