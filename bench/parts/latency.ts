import { toBody } from '../context.ts';
import type { Context } from '../context.ts';
import { meanBetween, readMetrics } from '../prometheus.ts';
import { QueryConnection } from '../query-connection.ts';
import { percentile } from '../stats.ts';

/** One short query after another on an idle server, by turns over HTTP and straight into the library. */
export async function measureLatency(context: Context): Promise<void> {
  const { queries, model, report, quick } = context;
  const engine = await context.startOurEngine();
  const server = await context.startOurServer();
  const connection = await QueryConnection.open(server.url);
  try {
    const http: number[] = [];
    const own: number[] = [];
    const ask = async (texts: readonly string[]): Promise<void> => {
      for (const text of texts) http.push(await connection.ask(toBody(model, text)));
      const { milliseconds } = (await engine.ask({ batches: texts.map((text) => [text]), concurrency: 1 })) as {
        milliseconds: number[];
      };
      own.push(...milliseconds);
    };
    await ask(queries.slice(0, 50));
    http.length = own.length = 0;
    const before = await readMetrics(server.url);
    for (let round = 0; round < (quick ? 6 : 40); round++) {
      await ask(Array.from({ length: 25 }, (_, i) => queries[(round * 25 + i) % queries.length] ?? ''));
    }
    const runMs = 1000 * meanBetween({ before, after: await readMetrics(server.url), name: 'embeddings_run_seconds' });
    const part = 'latency';
    for (const p of [0.5, 0.95, 0.99]) {
      report.add({ part, name: `one query over HTTP, p${p * 100}`, unit: 'ms', value: percentile(http, p) });
      report.add({ part, name: `one query in the library, p${p * 100}`, unit: 'ms', value: percentile(own, p) });
    }
    report.add({ part, name: 'run of the engine in the server, mean', unit: 'ms', value: runMs });
    const mean = http.reduce((sum, value) => sum + value, 0) / http.length;
    const added = percentile(http, 0.5) - percentile(own, 0.5);
    const goal = { kind: 'atMost', limit: 1 } as const;
    report.add({ part, name: 'HTTP adds to the library, p50', unit: 'ms', value: added, goal });
    report.add({
      part,
      name: 'HTTP, tokenizer, queue and the way to the runner add to its run, mean',
      unit: 'ms',
      value: mean - runMs,
      note: `${http.length} queries`,
    });
  } finally {
    connection.close();
    await Promise.all([engine.close(), server.close()]);
  }
}
