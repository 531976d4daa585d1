import { toBatches, toBody } from '../context.ts';
import type { Context } from '../context.ts';
import { decodeVectors, embedOnce } from '../http-client.ts';
import { runLoad } from '../load.ts';
import { startCpuMeter } from '../process-tree.ts';
import { growth, readMetrics } from '../prometheus.ts';
import { fromRounds } from '../report.ts';

const clients = 4;
const batchSize = 64;
export const answerBytesPerText = 4 * 384; // less than base64 of 384 float32 takes

/** Bulk over HTTP against the same work given to the library, same replicas, by turns. */
export async function measureHttp(context: Context): Promise<void> {
  const { model, report, quick } = context;
  const part = 'http';
  const full = toBatches(context.texts, batchSize).filter((batch) => batch.length === batchSize);
  const distinct = full.slice(0, full.length - (full.length % clients)); // every client sends equally many
  const bodies = distinct.map((batch) => toBody(model, batch));
  const batches = [...distinct, ...distinct]; // twice, so that the last, half-empty moment counts less
  const texts = batches.length * batchSize;
  const engine = await context.startOurEngine();
  const server = await context.startOurServer();
  try {
    const load = {
      url: server.url,
      connections: clients,
      bodies,
      amount: batches.length,
      minBytes: batchSize * answerBytesPerText,
    };
    await engine.ask({ batches, concurrency: clients });
    await runLoad(load);
    const usage = await countTokens(server.url, bodies);

    const rounds: { httpWall: number; engineWall: number; httpCpu: number; engineCpu: number }[] = [];
    const before = await readMetrics(server.url);
    const total = quick ? 3 : 7;
    for (let round = 0; round < total; round++) {
      const own = await engine.measure<{ wallSeconds: number }>({ batches, concurrency: clients });
      const cpuSeconds = startCpuMeter(server.pid);
      const { wallSeconds, answered } = await runLoad(load);
      if (answered !== batches.length) throw new Error(`Expected ${batches.length} answers, got ${answered}.`);
      rounds.push({
        httpWall: wallSeconds,
        httpCpu: cpuSeconds(),
        engineWall: own.wallSeconds,
        engineCpu: own.cpuSeconds,
      });
    }
    const computed = growth({ before, after: await readMetrics(server.url), name: 'embeddings_batch_tokens_sum' });
    const add = (name: string, unit: string, value: (round: (typeof rounds)[number]) => number): void =>
      report.add(fromRounds({ part, name, unit }, rounds.map(value)));
    add('over HTTP', 'texts/s', (round) => texts / round.httpWall);
    add('engine alone', 'texts/s', (round) => texts / round.engineWall);
    const rates = rounds.map((round) => round.engineWall / round.httpWall);
    report.add(
      fromRounds({ part, name: 'HTTP rate / engine rate', unit: '', goal: { kind: 'atLeast', limit: 0.95 } }, rates),
    );
    add('over HTTP', 'texts per CPU s', (round) => texts / round.httpCpu);
    add('engine alone', 'texts per CPU s', (round) => texts / round.engineCpu);
    add('HTTP / engine, by CPU time', '', (round) => round.engineCpu / round.httpCpu);
    const goal = { kind: 'atLeast', limit: 1 } as const;
    report.add({
      part,
      name: 'tokens computed / tokens sent',
      unit: '',
      value: computed / (2 * usage * total),
      goal,
      note: 'below 1, something was not computed',
    });
  } finally {
    await Promise.all([engine.close(), server.close()]);
  }
}

/** Real tokens of all bodies; also makes sure that every answer has all its vectors, unit length. */
async function countTokens(url: string, bodies: readonly string[]): Promise<number> {
  let tokens = 0;
  for (const body of bodies) {
    const answer = await embedOnce({ url, body });
    const vectors = decodeVectors(answer);
    const dim = vectors.length / batchSize;
    for (let row = 0; row < vectors.length; row += dim) {
      const length = Math.hypot(...vectors.subarray(row, row + dim));
      if (!(Math.abs(length - 1) < 1e-4)) throw new Error(`Expected vectors of length 1, got ${length}.`);
    }
    const { usage } = JSON.parse(answer.body.toString()) as { usage: { prompt_tokens: number } };
    tokens += usage.prompt_tokens;
  }
  return tokens;
}
