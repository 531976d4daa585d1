import { toBatches, toBody } from '../context.ts';
import type { Context } from '../context.ts';
import { runLoad } from '../load.ts';
import type { Peer } from '../peers/peer.ts';
import { takeTurns } from '../peers/turns.ts';
import type { Sample, Turn } from '../peers/turns.ts';
import { startCpuMeter } from '../process-tree.ts';
import { answerBytesPerText } from './http.ts';

const part = 'batch';
const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const clients = 4;

/** Bulk load of the same texts in requests of 1 to 256 texts, as far as the server takes them. */
export function measureBatchSize(context: Context, peers: readonly Peer[]): Promise<void> {
  const rounds = context.quick ? 1 : (context.rounds ?? 3);
  return takeTurns({ context, part, peers, rounds, measure: (turn) => sweep(context, turn) });
}

async function sweep({ texts, quick }: Context, { peer, server, textsPerRequest }: Turn): Promise<Sample[]> {
  const samples: Sample[] = [];
  const used = texts.slice(0, quick ? 256 : 1024);
  for (const size of sizes) {
    if (size > textsPerRequest && textsPerRequest < 64) break; // a server with a cap
    if (size * clients > used.length) break;
    const bodies = toBatches(used, size).map((batch) => toBody(peer.model, batch));
    const load = { url: server.url, connections: clients, bodies, minBytes: size * answerBytesPerText };
    await runLoad({ ...load, amount: clients });
    const cpuSeconds = server.process === undefined ? undefined : startCpuMeter(server.process.pid);
    const { wallSeconds } = await runLoad({ ...load, amount: bodies.length });
    const cpu = cpuSeconds?.();
    const at = { axis: 'texts a request', value: size };
    samples.push({ name: 'rate', unit: 'texts/s', at, value: used.length / wallSeconds });
    if (cpu !== undefined) samples.push({ name: 'rate by CPU', unit: 'texts per CPU s', at, value: used.length / cpu });
  }
  return samples;
}
