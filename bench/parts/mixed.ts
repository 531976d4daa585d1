import { setTimeout as sleep } from 'node:timers/promises';
import { toBatches, toBody } from '../context.ts';
import type { Context } from '../context.ts';
import { Load } from '../load.ts';
import { sendAt, timeQuery } from '../open-loop.ts';
import { meanBetween, readMetrics } from '../prometheus.ts';
import { percentile } from '../stats.ts';
import { answerBytesPerText } from './http.ts';

const clients = 4;
const batchSize = 64;
const queriesPerSecond = 10; // few enough that the queries themselves are no load

/** Single queries at a fixed rate while four clients send batches without pause. */
export async function measureMixed(context: Context): Promise<void> {
  const { texts, queries, model, report, quick } = context;
  const server = await context.startOurServer();
  const seconds = quick ? 8 : 40;
  const bodies = toBatches(texts, batchSize)
    .filter((batch) => batch.length === batchSize)
    .map((batch) => toBody(model, batch));
  const warmUpSeconds = 3;
  const bulkOnlySeconds = quick ? 4 : 10;
  const load = new Load({
    url: server.url,
    connections: clients,
    bodies,
    seconds: warmUpSeconds + bulkOnlySeconds + seconds + 5,
    minBytes: batchSize * answerBytesPerText,
  });
  try {
    await sleep(warmUpSeconds * 1000);
    const before = await readMetrics(server.url);
    await sleep(bulkOnlySeconds * 1000);
    const after = await readMetrics(server.url);
    const batchMs = 1000 * meanBetween({ before, after, name: 'embeddings_run_seconds' });
    const sent = queries.slice(0, seconds * queriesPerSecond);
    const arrivals = sent.map((_, i) => (i * 1000) / queriesPerSecond);
    const milliseconds = await sendAt(arrivals, (i) => timeQuery(server.url, toBody(model, sent[i] ?? '')));
    load.stop();
    const { answered } = await load.result();
    const part = 'mixed';
    report.note({ part, queries: milliseconds.length, bulkRequests: answered, milliseconds });
    report.add({ part, name: 'one batch of the bulk load, mean', unit: 'ms', value: batchMs });
    for (const p of [0.5, 0.95, 0.99]) {
      const goal = p === 0.95 ? { goal: { kind: 'atMost', limit: batchMs + 3 } as const } : {};
      report.add({
        part,
        name: `one query under bulk load, p${p * 100}`,
        unit: 'ms',
        value: percentile(milliseconds, p),
        ...goal,
      });
    }
  } finally {
    load.stop();
    await server.close();
  }
}
