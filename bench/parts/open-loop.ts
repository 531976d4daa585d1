import { toBody } from '../context.ts';
import type { Context } from '../context.ts';
import { poissonArrivals, sendAt, timeQuery } from '../open-loop.ts';
import type { Peer } from '../peers/peer.ts';
import { takeTurns } from '../peers/turns.ts';
import type { Sample, Turn } from '../peers/turns.ts';
import { percentile } from '../stats.ts';

const part = 'open';
const shares = [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95];
const clients = 32; // enough to keep every runner busy

/** Short queries of independent clients, at shares of the rate that a closed loop of 32 clients reached just before. */
export function measureOpenLoop(context: Context, peers: readonly Peer[]): Promise<void> {
  const rounds = context.quick ? 1 : 3;
  return takeTurns({ context, part, peers, rounds, measure: (turn) => sweep(context, turn) });
}

async function sweep({ shortTexts, quick }: Context, { peer, server }: Turn): Promise<Sample[]> {
  const bodies = shortTexts.map((text) => toBody(peer.model, text));
  const send = (index: number): Promise<number> => timeQuery(server.url, bodies[index % bodies.length] ?? '');
  await closedLoop(send, clients * 2);
  const capacity = await closedLoop(send, clients * (quick ? 5 : 50));
  const samples: Sample[] = [{ name: 'capacity', unit: 'queries/s', value: capacity }];
  for (const share of shares.filter((value) => !quick || value === 0.5 || value === 0.9)) {
    const arrivals = poissonArrivals({ perSecond: share * capacity, seconds: quick ? 2 : 10, seed: 1 });
    const milliseconds = await sendAt(arrivals, send);
    const at = { axis: '% of capacity', value: Math.round(share * 100) };
    for (const p of [0.5, 0.99])
      samples.push({ name: `p${p * 100}`, unit: 'ms', at, value: percentile(milliseconds, p) });
  }
  return samples;
}

/** Answers a second, with the same client as the open loop, whose own work takes part of the machine. */
async function closedLoop(send: (index: number) => Promise<number>, amount: number): Promise<number> {
  let next = 0;
  const client = async (): Promise<void> => {
    for (let index = next++; index < amount; index = next++) await send(index);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  return (1000 * amount) / (performance.now() - start);
}
