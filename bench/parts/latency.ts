import { toBody } from '../context.ts';
import type { Context } from '../context.ts';
import { meanBetween, readMetrics } from '../prometheus.ts';
import { QueryConnection } from '../query-connection.ts';
import { percentile } from '../stats.ts';

/** How many queries one side gets before the other has its turn, and how many of them are not counted. */
interface Turns {
  readonly rounds: number;
  readonly queries: number;
  readonly warmUp: number;
}

/** One short query after another on an idle server, by turns over HTTP and straight into the library. */
export async function measureLatency(context: Context): Promise<void> {
  const { queries, model, report, quick } = context;
  const engine = await context.startOurEngine();
  const server = await context.startOurServer();
  const connection = await QueryConnection.open(server.url);
  const part = 'latency';

  const askBoth = async ({ rounds, queries: count, warmUp }: Turns): Promise<{ http: number[]; own: number[] }> => {
    const http: number[] = [];
    const own: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const texts = Array.from({ length: count }, (_, i) => queries[(round * count + i) % queries.length] ?? '');
      const overHttp: number[] = [];
      for (const text of texts) overHttp.push(await connection.ask(toBody(model, text)));
      const answer = await engine.ask({ batches: texts.map((text) => [text]), concurrency: 1 });
      http.push(...overHttp.slice(warmUp));
      own.push(...(answer as { milliseconds: number[] }).milliseconds.slice(warmUp));
    }
    return { http, own };
  };

  try {
    await askBoth({ rounds: 1, queries: 50, warmUp: 0 });
    const before = await readMetrics(server.url);
    const { http, own } = await askBoth({ rounds: quick ? 2 : 8, queries: 250, warmUp: 50 });
    const runMs = 1000 * meanBetween({ before, after: await readMetrics(server.url), name: 'embeddings_run_seconds' });
    for (const p of [0.5, 0.95, 0.99]) {
      report.add({ part, name: `one query over HTTP, p${p * 100}`, unit: 'ms', value: percentile(http, p) });
      report.add({ part, name: `one query in the library, p${p * 100}`, unit: 'ms', value: percentile(own, p) });
    }
    report.add({ part, name: 'run of the engine in the server, mean', unit: 'ms', value: runMs });
    const mean = http.reduce((sum, value) => sum + value, 0) / http.length;
    report.add({
      part,
      name: 'HTTP adds to the library, p50',
      unit: 'ms',
      value: percentile(http, 0.5) - percentile(own, 0.5),
      goal: { kind: 'atMost', limit: 1 },
      note: `${http.length} queries`,
    });
    const name = 'HTTP, tokenizer, queue and the way to the runner add to its run, mean';
    report.add({ part, name, unit: 'ms', value: mean - runMs });

    const short = await askBoth({ rounds: quick ? 6 : 40, queries: 25, warmUp: 0 });
    report.add({
      part,
      name: 'HTTP adds to the library, p50, cold',
      unit: 'ms',
      value: percentile(short.http, 0.5) - percentile(short.own, 0.5),
      note: 'turns of 25 queries: the other side has emptied the caches each time',
    });
  } finally {
    connection.close();
    await Promise.all([engine.close(), server.close()]);
  }
}
