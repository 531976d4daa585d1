import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { toBatches, toBody } from '../context.ts';
import type { Context } from '../context.ts';
import type { OverloadOptions, OverloadResult } from '../overload-process.ts';
import { percentile } from '../stats.ts';

const part = 'overload';
const times = 5;

/**
 * Clients that do not slow down, at five times what the server can do: of short queries that wait 1 s at most, and of
 * queries among requests of 64 texts that wait 10 s. What the server then does is measured against what it does for 32
 * clients of a closed loop, in tokens of texts answered in time.
 */
export async function measureOverload(context: Context): Promise<void> {
  const { model, shortTexts, texts, quick } = context;
  const queries = shortTexts.map((text) => ({ body: toBody(model, text), weight: text.length }));
  const batches = toBatches(texts, 64)
    .filter((batch) => batch.length === 64)
    .map((batch) => ({ body: toBody(model, batch), weight: batch.join('').length }));
  // One request of five is a query.
  const mixed = batches.flatMap((batch, index) =>
    index % 4 === 0 ? [queries[index % queries.length]!, batch] : [batch],
  );
  const seconds = quick ? 6 : 30;
  await measure(context, { name: 'short queries', requests: queries, timeoutMs: 1000, seconds });
  await measure(context, { name: 'mixed with 64 texts', requests: mixed, timeoutMs: 10_000, seconds: 2 * seconds });
}

interface Case extends Pick<OverloadOptions, 'requests' | 'timeoutMs' | 'seconds'> {
  readonly name: string;
}

async function measure({ startOurServer, report, quick }: Context, { name, ...load }: Case): Promise<void> {
  const server = await startOurServer();
  try {
    const closedSeconds = quick ? 8 : 30;
    const patient = { ...load, timeoutMs: 120_000, seconds: closedSeconds }; // nobody is refused
    const calm = await runProcess({ ...patient, url: server.url, closedLoop: 32 });
    const perSecond = (times * calm.answered.length) / closedSeconds;
    const storm = await runProcess({ ...load, url: server.url, perSecond });
    const rate = (result: OverloadResult, length: number): number => result.weight / length;
    const capacity = rate(calm, closedSeconds);
    const share = rate(storm, load.seconds) / capacity;
    const add = (title: string, unit: string, value: number, goal?: { kind: 'atLeast' | 'atMost'; limit: number }) =>
      report.add({ part, name: `${name}: ${title}`, unit, value, ...(goal && { goal }) });
    report.note({ part, name, perSecond, statuses: storm.statuses, late: storm.late });
    add('capacity', 'requests/s', calm.answered.length / closedSeconds);
    add(`answered in time at ${times} times the load`, 'of capacity', share, { kind: 'atLeast', limit: 0.9 });
    add('answered, p99', 'ms', percentile(storm.answered, 0.99));
    add('refused, p50', 'ms', percentile(storm.refusedMs, 0.5), { kind: 'atMost', limit: 5 });
    add('refused, p99', 'ms', percentile(storm.refusedMs, 0.99));
  } finally {
    await server.close();
  }
}

/** In a process of its own, so that its garbage and its reports delay no query. */
async function runProcess(options: OverloadOptions): Promise<OverloadResult> {
  const child = fork(fileURLToPath(new URL('../overload-process.js', import.meta.url)));
  child.send(options);
  const [result] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the load process ended with code ${String(code)}`))),
  ])) as [OverloadResult];
  return result;
}
