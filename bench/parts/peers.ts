import { setTimeout as sleep } from 'node:timers/promises';
import { toBatches, toBody } from '../context.ts';
import type { Context } from '../context.ts';
import { runLoad } from '../load.ts';
import type { Peer } from '../peers/peer.ts';
import { takeTurns } from '../peers/turns.ts';
import type { Sample, Turn } from '../peers/turns.ts';
import { readTreeMemory, startCpuMeter } from '../process-tree.ts';
import { percentile } from '../stats.ts';
import { answerBytesPerText } from './http.ts';
import { measureIdle } from './idle.ts';

const bulkClients = 4;
const queryClients = 32;
const settleMs = 3_000; // our other runners load after the first answer

/** Bulk, one query, 32 at once, start, memory and idle CPU of each server, which is alone on the machine meanwhile. */
export function measurePeers(context: Context, peers: readonly Peer[]): Promise<void> {
  const rounds = context.quick ? 1 : (context.rounds ?? 5);
  return takeTurns({ context, part: 'peers', peers, rounds, measure: (turn) => measurePeer(context, turn) });
}

async function measurePeer(context: Context, { peer, server, textsPerRequest }: Turn): Promise<Sample[]> {
  const { queries, quick } = context;
  const { url } = server;
  const pid = server.process?.pid;
  const samples: Sample[] = [];
  const add = (name: string, unit: string, value: number): void => void samples.push({ name, unit, value });

  await sleep(settleMs);
  if (pid !== undefined) {
    const { pssMb } = readTreeMemory(pid);
    const idle = await measureIdle(pid, quick ? 2 : 10);
    samples.push(...(await measureBulk(context, { peer, server, textsPerRequest })));
    add('memory after the start', 'MB', pssMb);
    add('memory after bulk', 'MB', readTreeMemory(pid).pssMb);
    add('idle', '% of a core', idle);
    add('start to first vector', 's', server.process?.firstAnswerSeconds ?? Number.NaN);
  } else {
    samples.push(...(await measureBulk(context, { peer, server, textsPerRequest })));
  }

  const bodies = queries.map((text) => toBody(peer.model, text));
  const minBytes = answerBytesPerText;
  const single = await runLoad({ url, connections: 1, bodies, amount: quick ? 50 : 300, minBytes });
  add('one query, p50', 'ms', percentile(single.milliseconds, 0.5));
  add('one query, p99', 'ms', percentile(single.milliseconds, 0.99));
  const amount = queryClients * (quick ? 5 : 30);
  const many = await runLoad({ url, connections: queryClients, bodies, amount, minBytes });
  add('32 at once', 'queries/s', many.answered / many.wallSeconds);
  return samples;
}

async function measureBulk({ texts, quick }: Context, { peer, server, textsPerRequest }: Turn): Promise<Sample[]> {
  const full = toBatches(texts.slice(0, quick ? 256 : texts.length), textsPerRequest).filter(
    (batch) => batch.length === textsPerRequest,
  );
  const distinct = full.slice(0, full.length - (full.length % bulkClients)); // every client sends equally many
  const load = {
    url: server.url,
    connections: bulkClients,
    bodies: distinct.map((batch) => toBody(peer.model, batch)),
    minBytes: textsPerRequest * answerBytesPerText,
  };
  await runLoad({ ...load, amount: bulkClients });
  const cpuSeconds = server.process === undefined ? undefined : startCpuMeter(server.process.pid);
  const { answered, wallSeconds } = await runLoad({ ...load, amount: distinct.length });
  const cpu = cpuSeconds?.();
  const done = answered * textsPerRequest;
  return [
    { name: 'bulk', unit: 'texts/s', value: done / wallSeconds },
    ...(cpu === undefined ? [] : [{ name: 'bulk by CPU', unit: 'texts per CPU s', value: done / cpu }]),
  ];
}
