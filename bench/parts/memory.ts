import { setTimeout as sleep } from 'node:timers/promises';
import { toBatches, toBody } from '../context.ts';
import type { Context } from '../context.ts';
import { runLoad } from '../load.ts';
import { readTreeMemory } from '../process-tree.ts';
import type { RunningServer } from '../server.ts';
import { startPythonService } from './cold-start.ts';

const batchSize = 64;

const settleMs = 3_000; // our other runners load after the first answer

/** Memory of all processes of a server when it has started whole, and after bulk load. */
export async function measureMemory(context: Context): Promise<void> {
  await measureServer({ context, name: 'ours', server: await context.startOurServer() });
  await measureServer({ context, name: 'Python service', server: await startPythonService(context) });
}

async function measureServer({
  context,
  name,
  server,
}: {
  context: Context;
  name: string;
  server: RunningServer;
}): Promise<void> {
  const { texts, model, report, quick } = context;
  const bodies = toBatches(texts, batchSize).map((batch) => toBody(model, batch));
  const addMemory = (moment: string): void => {
    const { rssMb, pssMb, processes } = readTreeMemory(server.pid);
    const note = `${processes} process${processes === 1 ? '' : 'es'}`;
    report.add({ part: 'memory', name: `${name}, RSS ${moment}`, unit: 'MB', value: rssMb, note });
    report.add({ part: 'memory', name: `${name}, PSS ${moment}`, unit: 'MB', value: pssMb, note });
  };
  try {
    await sleep(settleMs);
    addMemory('after the start');
    await runLoad({ url: server.url, connections: 4, bodies, amount: bodies.length * (quick ? 1 : 2), minBytes: 1 });
    addMemory('after bulk');
  } finally {
    await server.close();
  }
}
