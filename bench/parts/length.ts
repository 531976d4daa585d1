import { setTimeout as sleep } from 'node:timers/promises';
import { toBatches, toBody } from '../context.ts';
import type { Context } from '../context.ts';
import { flopOfMiniLm, weightedGemmRate } from '../gemm.ts';
import { runLoad } from '../load.ts';
import type { Peer } from '../peers/peer.ts';
import { takeTurns } from '../peers/turns.ts';
import type { Sample, Turn } from '../peers/turns.ts';
import { readTreeMemory, startCpuMeter } from '../process-tree.ts';
import { textOfTokens } from '../words.ts';
import { answerBytesPerText } from './http.ts';

const part = 'length';
const lengths = [8, 16, 32, 64, 128, 256]; // where sentence-transformers cuts this model; `long-lengths` goes on
const clients = 4;
const tokensPerRequest = 2048;
const settleMs = 3_000; // our other runners load after the first answer
const startLimitMb: Readonly<Record<string, number>> = { 'ours float32': 260, 'ours int8': 170 };
const growthLimitMb = 80;

/** Texts of one length after the other: rates, work against that of bare matrix products, and what memory grows by. */
export async function measureLength(context: Context, peers: readonly Peer[]): Promise<void> {
  const { report, quick } = context;
  const gflops = await weightedGemmRate(context);
  report.add({ part, name: 'matrix products, one thread, float32', unit: 'GFLOP/s', value: gflops });
  const rounds = quick ? 1 : 3;
  await takeTurns({ context, part, peers, rounds, measure: (turn) => sweep(turn, quick) });
}

async function sweep({ peer, server, textsPerRequest }: Turn, quick: boolean): Promise<Sample[]> {
  const pid = server.process?.pid;
  const readPss = (): number => (pid === undefined ? Number.NaN : readTreeMemory(pid).pssMb);
  await sleep(settleMs);
  const before = readPss();
  const samples: Sample[] = [];
  for (const tokens of lengths) {
    const size = Math.min(textsPerRequest, tokensPerRequest / tokens);
    const total = Math.max(clients * size, (quick ? 8192 : 32_768) / tokens);
    const texts = Array.from({ length: total }, (_, seed) => textOfTokens(tokens, seed));
    const bodies = toBatches(texts, size).map((batch) => toBody(peer.model, batch));
    const cpuSeconds = pid === undefined ? undefined : startCpuMeter(pid);
    const minBytes = size * answerBytesPerText;
    const { wallSeconds } = await runLoad({
      url: server.url,
      connections: clients,
      bodies,
      amount: bodies.length,
      minBytes,
    });
    const cpu = cpuSeconds?.();
    const at = { axis: 'tokens a text', value: tokens };
    samples.push({ name: 'rate', unit: 'tokens/s', at, value: (total * tokens) / wallSeconds });
    if (cpu === undefined) continue;
    samples.push(
      { name: 'rate by CPU', unit: 'tokens per CPU s', at, value: (total * tokens) / cpu },
      { name: 'work by CPU', unit: 'GFLOP per CPU s', at, value: (total * flopOfMiniLm(tokens)) / cpu / 1e9 },
    );
  }
  await sleep(settleMs);
  return pid === undefined ? samples : [...samples, ...toMemory(peer.name, before, readPss())];
}

function toMemory(name: string, before: number, after: number): Sample[] {
  const limit = startLimitMb[name];
  const isOurs = limit !== undefined;
  return [
    {
      name: 'memory (PSS) after the start',
      unit: 'MB',
      value: before,
      ...(isOurs ? { goal: { kind: 'atMost', limit } } : {}),
    },
    { name: 'memory (PSS) after the sweep', unit: 'MB', value: after },
    {
      name: 'growth',
      unit: 'MB',
      value: after - before,
      ...(isOurs ? { goal: { kind: 'atMost', limit: growthLimitMb } } : {}),
    },
  ];
}
