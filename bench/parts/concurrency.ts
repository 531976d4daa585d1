import { toBody } from '../context.ts';
import type { Context } from '../context.ts';
import { runLoad } from '../load.ts';
import type { Peer } from '../peers/peer.ts';
import { takeTurns } from '../peers/turns.ts';
import type { Sample, Turn } from '../peers/turns.ts';
import { percentile } from '../stats.ts';
import { answerBytesPerText } from './http.ts';

const part = 'concurrency';
const counts = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const leastQueries = 300; // for a 99th percentile

/** 1 to 256 clients, each sending one short query after another (closed loop). */
export function measureConcurrency(context: Context, peers: readonly Peer[]): Promise<void> {
  const rounds = context.quick ? 1 : (context.rounds ?? 3);
  return takeTurns({ context, part, peers, rounds, measure: (turn) => sweep(context, turn) });
}

async function sweep({ shortTexts, quick }: Context, { peer, server }: Turn): Promise<Sample[]> {
  const samples: Sample[] = [];
  const bodies = shortTexts.map((text) => toBody(peer.model, text));
  for (const connections of counts.filter((count) => !quick || count <= 32)) {
    const amount = quick ? Math.max(32, 2 * connections) : Math.max(leastQueries, 4 * connections);
    const load = { url: server.url, connections, bodies, amount, minBytes: answerBytesPerText };
    const { answered, wallSeconds, milliseconds } = await runLoad(load);
    const at = { axis: 'clients', value: connections };
    samples.push(
      { name: 'rate', unit: 'queries/s', at, value: answered / wallSeconds },
      { name: 'p50', unit: 'ms', at, value: percentile(milliseconds, 0.5) },
      { name: 'p99', unit: 'ms', at, value: percentile(milliseconds, 0.99) },
    );
  }
  return samples;
}
