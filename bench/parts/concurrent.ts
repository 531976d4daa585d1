import { toBody } from '../context.ts';
import type { Context } from '../context.ts';
import { runLoad } from '../load.ts';
import { fromRounds } from '../report.ts';
import { percentile } from '../stats.ts';
import { answerBytesPerText } from './http.ts';

const connections = 32;

/** 32 clients, each sending one short query after another. */
export async function measureConcurrent(context: Context): Promise<void> {
  const { queries, model, report, quick } = context;
  const server = await context.startOurServer();
  try {
    const bodies = queries.map((text) => toBody(model, text));
    const load = { url: server.url, connections, bodies, amount: quick ? 640 : 3200, minBytes: answerBytesPerText };
    await runLoad(load);
    const rates: number[] = [];
    const milliseconds: number[] = [];
    for (let round = 0; round < (quick ? 2 : 5); round++) {
      const result = await runLoad(load);
      rates.push(result.answered / result.wallSeconds);
      milliseconds.push(...result.milliseconds);
    }
    const part = 'concurrent';
    report.add(fromRounds({ part, name: `${connections} clients, short queries`, unit: 'queries/s' }, rates));
    for (const p of [0.5, 0.99]) {
      report.add({
        part,
        name: `one of ${connections} at once, p${p * 100}`,
        unit: 'ms',
        value: percentile(milliseconds, p),
      });
    }
  } finally {
    await server.close();
  }
}
