import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { decodeVectors, embedOnce } from '../http-client.ts';
import { qwen3Embedding8b, writeLargeModel } from '../large-model.ts';
import { readTreeMemory, watchTreeMemory } from '../process-tree.ts';
import { fromRounds } from '../report.ts';
import type { RunningServer } from '../server.ts';

const model = 'large/qwen3';
const weights = { '4bit': 'quantized', '8bit': 'quantized', 'dtype=float16': undefined } as const;
type Weights = keyof typeof weights;

/**
 * A random checkpoint of the shape of Qwen3-Embedding-8B in each kind of weights that 24 GiB hold: memory of all
 * processes while the weights are made, while they are loaded, and after a batch. Leaves nothing on disk.
 */
export async function measureLarge(context: Context): Promise<void> {
  const { root, scratch, quick } = context;
  const folder = join(scratch, 'large');
  const shape = quick ? { ...qwen3Embedding8b, layers: 4 } : qwen3Embedding8b;
  try {
    writeLargeModel(join(folder, model), shape, join(root, 'tests/goldens/models/tiny/qwen3/tokenizer.json'));
    for (const kind of Object.keys(weights) as Weights[]) await measureWeights(context, folder, kind); // the keys above
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureWeights(context: Context, folder: string, kind: Weights): Promise<void> {
  const { report, quick } = context;
  const part = 'large';
  const isMade = weights[kind] !== undefined;
  const list = join(folder, 'supported_models.txt');
  writeFileSync(list, `${model}${isMade ? '' : ` ${kind}`}\n`);
  const cache = join(folder, 'hub');
  const env = {
    EMBEDDINGS_MODELS_DIR: folder,
    EMBEDDINGS_SUPPORTED_MODELS: list,
    HF_HUB_CACHE: cache,
    EMBEDDINGS_MAX_INPUT_TOKENS: '8192', // room for the longest text counts too, and 16-bit weights leave little
    ...(isMade ? { EMBEDDINGS_BITSANDBYTES: kind } : {}),
  };
  const addMb = (name: string, value: number): void =>
    report.add({ part, name: `${kind}, ${name}`, unit: 'MB', value });
  if (isMade) {
    const { server, peakMb } = await startWatched(context, env);
    await server.close();
    addMb('weights made, file', sizeMb(cache));
    report.add({ part, name: `${kind}, start that makes them`, unit: 's', value: server.firstAnswerSeconds });
    addMb('peak of that start', peakMb);
  }
  const { server, peakMb } = await startWatched(context, env);
  try {
    report.add({ part, name: `${kind}, start to first vector`, unit: 's', value: server.firstAnswerSeconds });
    addMb('peak of that start', peakMb);
    for (const tokens of [9, 256]) {
      const times: number[] = [];
      for (let round = 0; round < (quick || tokens > 9 ? 1 : 5); round++)
        times.push(await embed(server, tokens, round));
      report.add(fromRounds({ part, name: `${kind}, ${tokens} tokens`, unit: 'ms' }, times));
    }
    const { pssMb } = readTreeMemory(server.pid);
    addMb('after a batch', pssMb);
    const goal = { kind: 'atMost', limit: 1500 } as const;
    report.add({ part, name: `${kind}, peak of the start above that`, unit: 'MB', value: peakMb - pssMb, goal });
  } finally {
    await server.close();
    rmSync(cache, { recursive: true, force: true });
  }
}

async function startWatched(
  { startOurServer }: Context,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly server: RunningServer; readonly peakMb: number }> {
  let stopWatching = (): number => 0;
  const onSpawn = (pid: number): void => void (stopWatching = watchTreeMemory(pid));
  const server = await startOurServer(env, model, { startLimitSeconds: 3600, onSpawn });
  return { server, peakMb: stopWatching() };
}

/** Milliseconds. Token ids, different in every round. */
async function embed({ url }: RunningServer, tokens: number, round: number): Promise<number> {
  const ids = Array.from({ length: tokens }, (_, index) => (index * 7919 + round) % qwen3Embedding8b.vocabulary);
  const answer = await embedOnce({ url, body: JSON.stringify({ model, input: [ids], encoding_format: 'base64' }) });
  if (!decodeVectors(answer).every(Number.isFinite)) throw new Error('A vector holds numbers that are not finite.');
  return answer.milliseconds;
}

function sizeMb(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files.reduce((sum, name) => sum + statSync(join(folder, name)).size / 1e6, 0);
}
