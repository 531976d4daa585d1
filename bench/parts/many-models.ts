import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toBody } from '../context.ts';
import type { Context } from '../context.ts';
import { Load } from '../load.ts';
import { readTreeMemory } from '../process-tree.ts';
import { answerBytesPerText } from './http.ts';

const models = Array.from({ length: 8 }, (_, index) => `bench/m${index}`);
const room = 3;
const clients = 64;
const keepAliveSeconds = 2;
const freeMs = 3000; // until the garbage is collected

/** Eight models in turn from 64 clients, with room for three in memory: answers, loads, and the memory they leave. */
export async function measureManyModels(context: Context): Promise<void> {
  const { root, scratch, model, queries, report, quick } = context;
  const folder = join(scratch, 'many-models');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'bench'), { recursive: true });
  for (const name of models) symlinkSync(join(root, 'models', model), join(folder, name));
  writeFileSync(join(folder, 'supported_models.txt'), models.map((name) => `${name}\n`).join(''));
  const server = await context.startOurServer(
    {
      EMBEDDINGS_MODELS_DIR: folder,
      EMBEDDINGS_SUPPORTED_MODELS: join(folder, 'supported_models.txt'),
      EMBEDDINGS_MAX_LOADED_MODELS: String(room),
      EMBEDDINGS_KEEP_ALIVE: `${keepAliveSeconds}s`,
      EMBEDDINGS_PRELOAD: 'none',
    },
    models[0],
  );
  const part = 'models';
  try {
    await untilUnloaded(server.pid);
    const before = readTreeMemory(server.pid).rssMb;
    const bodies = queries.flatMap((text) => models.map((name) => toBody(name, text)));
    const load = new Load({
      url: server.url,
      connections: clients,
      bodies,
      seconds: quick ? 5 : 20,
      minBytes: answerBytesPerText,
    });
    let isDone = false;
    const result = load.result().finally(() => (isDone = true));
    let mostMb = 0;
    while (!isDone) {
      mostMb = Math.max(mostMb, readTreeMemory(server.pid).pssMb);
      await sleep(50);
    }
    const { answered, wallSeconds } = await result;
    const note = `${clients} clients, ${models.length} models, room for ${room}`;
    report.add({ part, name: 'answers of many models', unit: 'queries/s', value: answered / wallSeconds, note });
    report.add({ part, name: 'all processes, most memory (PSS)', unit: 'MB', value: mostMb });
    await untilUnloaded(server.pid);
    const after = readTreeMemory(server.pid);
    const goal = { kind: 'atMost', limit: 30 } as const;
    report.add({ part, name: 'left in memory by models unloaded', unit: 'MB', value: after.rssMb - before, goal });
  } finally {
    await server.close();
  }
}

/** Models that were asked for by clients who have left stay for a while. */
async function untilUnloaded(pid: number): Promise<void> {
  while (readTreeMemory(pid).processes > 1) await sleep(100);
  await sleep(freeMs);
}
