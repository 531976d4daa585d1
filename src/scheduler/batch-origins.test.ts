import { expect, test } from 'vitest';
import type { Replica } from '../engine/replica.ts';
import type { Origin } from '../request/origin.ts';
import { startTimeline } from '../tracing/timeline.ts';
import type { Batch } from './batch.ts';
import type { EndedBatch } from './observer.ts';
import { Scheduler } from './scheduler.ts';

const ids = (...values: number[]) => ({ ids: Int32Array.from(values) });
const originOf = (requestId: string) => ({ requestId, caller: 'anyone', timeline: startTimeline(0) }) satisfies Origin;
const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

/** A scheduler whose clock and one replica the test moves. */
function stage() {
  const batches: Batch[] = [];
  const runs: ((error?: Error) => void)[] = [];
  const ended: EndedBatch[] = [];
  const clock = { ms: 0 };
  const replica: Replica = {
    limits: { maxTokens: 512, dimensions: 1 },
    ready: async () => {},
    close: async () => {},
    cost: (lengths) => lengths.reduce((sum, length) => sum + length, 0),
    embed: async (batch) => {
      batches.push(batch);
      await new Promise<void>((resolve, reject) => runs.push((error) => (error ? reject(error) : resolve())));
      const rows = batch.offsets.length - 1;
      return { data: new Float32Array(rows), rows, dim: 1 };
    },
  };
  const scheduler = new Scheduler({
    model: 'm',
    replicas: [replica],
    maxBatchTokens: 100,
    maxQueueTokens: 1000,
    nowMs: () => clock.ms,
    observer: { onBatchEnd: (batch) => ended.push(batch) },
  });
  const finish = async (error?: Error) => {
    runs.shift()?.(error);
    await settle();
  };
  return { scheduler, batches, ended, clock, finish };
}

test('a batch carries the ids of its requests, and each request learns when it ran and beside whom', async () => {
  const { scheduler, batches, ended, clock, finish } = stage();
  const [first, second, third] = [originOf('a'), originOf('b'), originOf('c')];
  const answers = [scheduler.embed([ids(1)], undefined, first)];
  await settle();
  clock.ms = 5;
  answers.push(scheduler.embed([ids(2), ids(3), ids(2)], undefined, second));
  answers.push(scheduler.embed([ids(1), ids(4)], undefined, third)); // one of them is running already
  clock.ms = 10;
  expect(scheduler.oldestWaitMs).toBe(5);
  await finish();
  expect(scheduler.oldestWaitMs).toBe(0);
  clock.ms = 30;
  await finish();
  await Promise.all(answers);
  expect(batches.map(({ requestIds }) => requestIds)).toEqual([['a'], ['b', 'c']]);
  expect(first.timeline).toMatchObject({ batches: 1, startedAtMs: 0, deduplicated: 0, neighbours: undefined });
  expect(second.timeline).toMatchObject({ batches: 1, startedAtMs: 10, deduplicated: 1, neighbours: new Set(['c']) });
  expect(third.timeline).toMatchObject({ batches: 1, deduplicated: 1, neighbours: new Set(['b']) });
  expect(
    ended.map(({ origins, startedMs, endedMs, rows, hasFailed }) => [origins, startedMs, endedMs, rows, hasFailed]),
  ).toEqual([
    [[first], 0, 10, 1, false],
    [[second, third], 10, 30, 3, false],
  ]);
});

test('a batch that fails is told of with its requests', async () => {
  const { scheduler, ended, finish } = stage();
  const origin = originOf('a');
  const answer = scheduler.embed([ids(1)], undefined, origin);
  await settle();
  await finish(new Error('refused'));
  await finish();
  await answer;
  expect(ended.map(({ origins, hasFailed }) => [origins, hasFailed])).toEqual([
    [[origin], true],
    [[origin], false],
  ]);
  expect(origin.timeline.batches).toBe(2);
});

test('however many requests a batch has, the first eight are named, and work without a request names none', async () => {
  const { scheduler, batches, finish } = stage();
  const answers = [scheduler.embed([ids(99)])];
  await settle();
  for (let i = 0; i < 20; i++) answers.push(scheduler.embed([ids(i)], undefined, originOf(`r${i}`)));
  await finish();
  await finish();
  await Promise.all(answers);
  expect(batches[0]).not.toHaveProperty('requestIds');
  expect(batches[1]?.requestIds).toEqual(['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7']);
});
