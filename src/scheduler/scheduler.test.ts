import { expect, test } from 'vitest';
import type { Replica } from '../engine/replica.ts';
import { ServiceError } from '../errors.ts';
import type { Batch } from './batch.ts';
import { Quarantine } from './quarantine.ts';
import type { SchedulerObserver } from './observer.ts';
import { Scheduler } from './scheduler.ts';

/** A vector tells which ids made it: `[sum of ids, count]`. Runs one batch when the test says so. */
class FakeReplica implements Replica {
  readonly limits = { maxTokens: 512, dimensions: 2 };
  readonly batches: Batch[] = [];
  readonly #runs: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  isAutomatic: boolean;

  constructor({ isAutomatic = true } = {}) {
    this.isAutomatic = isAutomatic;
  }

  async ready(): Promise<void> {}
  async close(): Promise<void> {}

  cost(lengths: readonly number[]): number {
    return 10 + lengths.reduce((sum, length) => sum + length, 0);
  }

  async embed(batch: Batch) {
    this.batches.push(batch);
    if (!this.isAutomatic) await new Promise<void>((resolve, reject) => this.#runs.push({ resolve, reject }));
    const rows = batch.offsets.length - 1;
    const data = new Float32Array(rows * 2);
    for (let row = 0; row < rows; row++) {
      const ids = batch.ids.subarray(batch.offsets[row], batch.offsets[row + 1]);
      data.set([ids.reduce((sum, id) => sum + id, 0), ids.length], row * 2);
    }
    return { data, rows, dim: 2 };
  }

  /** Ends the running batch and lets the scheduler act on it. */
  async finish(error?: unknown): Promise<void> {
    const run = this.#runs.shift();
    if (error === undefined) run?.resolve();
    else run?.reject(error);
    await settle();
  }
}

const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

const schedulerOf = (
  replica: Replica,
  options: { maxQueueTokens?: number; observer?: SchedulerObserver; quarantine?: Quarantine } = {},
) =>
  new Scheduler({
    model: 'm',
    replicas: [replica],
    maxBatchTokens: 100,
    maxQueueTokens: 1000,
    nowMs: () => 0,
    ...options,
  });

const ids = (...values: number[]) => ({ ids: Int32Array.from(values) });
const crash = () => new ServiceError('runner_crashed', { model: 'm', reason: 'signal SIGKILL', retryAfterSeconds: 1 });

test('rows come back in the order of the inputs, whatever the batches were', async () => {
  const scheduler = schedulerOf(new FakeReplica());
  const inputs = [ids(5, 5, 5), ids(1), ids(2, 2), ids(9), ids(7, 7, 7, 7)];
  const { data, rows, dim } = await scheduler.embed(inputs);
  expect({ rows, dim }).toEqual({ rows: 5, dim: 2 });
  expect([...data]).toEqual([15, 3, 1, 1, 4, 2, 9, 1, 28, 4]);
});

test('inputs that are identical and in flight are computed once', async () => {
  const replica = new FakeReplica({ isAutomatic: false });
  let deduplicated = 0;
  const scheduler = schedulerOf(replica, { observer: { onDeduplicated: (count) => (deduplicated += count) } });
  const first = scheduler.embed([ids(1, 2), ids(1, 2)]);
  const second = scheduler.embed([ids(1, 2)]);
  await settle();
  await replica.finish();
  expect([...(await first).data, ...(await second).data]).toEqual([3, 2, 3, 2, 3, 2]);
  expect(replica.batches).toHaveLength(1);
  expect(deduplicated).toBe(2);
});

test('what comes while a batch runs shares the next one', async () => {
  const replica = new FakeReplica({ isAutomatic: false });
  const scheduler = schedulerOf(replica);
  const answers = [scheduler.embed([ids(1)])];
  await settle();
  answers.push(scheduler.embed([ids(2)]), scheduler.embed([ids(3)]));
  await settle();
  await replica.finish();
  await replica.finish();
  await Promise.all(answers);
  expect(replica.batches.map((batch) => batch.offsets.length - 1)).toEqual([1, 2]);
});

test('a client that leaves cancels what has not started', async () => {
  const replica = new FakeReplica({ isAutomatic: false });
  let cancelled = 0;
  const scheduler = schedulerOf(replica, { observer: { onCancelled: (count) => (cancelled += count) } });
  const running = scheduler.embed([ids(1)]);
  await settle();
  const leaving = new AbortController();
  const gone = scheduler.embed([ids(2), ids(3)], leaving.signal);
  const reason = new Error('the client left');
  leaving.abort(reason);
  await expect(gone).rejects.toBe(reason);
  await replica.finish();
  await running;
  expect(replica.batches).toHaveLength(1);
  expect(cancelled).toBe(2);
  expect(scheduler.isIdle).toBe(true);
});

test('an input that another client still wants survives the one who left', async () => {
  const replica = new FakeReplica({ isAutomatic: false });
  const scheduler = schedulerOf(replica);
  const blocker = scheduler.embed([ids(1)]);
  await settle();
  const leaving = new AbortController();
  const gone = scheduler.embed([ids(2)], leaving.signal);
  const kept = scheduler.embed([ids(2)]);
  leaving.abort();
  await expect(gone).rejects.toThrow();
  await replica.finish();
  await replica.finish();
  await blocker;
  expect([...(await kept).data]).toEqual([2, 1]);
});

test('a full queue refuses with 429 and a time to come back, and takes any request when it is empty', async () => {
  const replica = new FakeReplica({ isAutomatic: false });
  const scheduler = schedulerOf(replica, { maxQueueTokens: 10 });
  const large = scheduler.embed([{ ids: new Int32Array(50).fill(1) }]); // more than the bound, but nothing waits
  await settle();
  const waiting = scheduler.embed([{ ids: new Int32Array(8).fill(2) }]);
  await expect(scheduler.embed([{ ids: new Int32Array(3).fill(3) }])).rejects.toMatchObject({
    code: 'server_overloaded',
    details: { queued: 8, max: 10 },
  });
  const refused: unknown = await scheduler.embed([{ ids: new Int32Array(3).fill(3) }]).catch((error: unknown) => error);
  expect(refused instanceof ServiceError && refused.details.retryAfterSeconds).toBeGreaterThanOrEqual(1);
  replica.isAutomatic = true;
  await replica.finish();
  await Promise.all([large, waiting]);
});

test('a crash loses nothing: each input of the batch runs again, alone', async () => {
  const replica = new FakeReplica({ isAutomatic: false });
  const scheduler = schedulerOf(replica);
  const answer = scheduler.embed([ids(1), ids(2), ids(3)]);
  await settle();
  replica.isAutomatic = true;
  await replica.finish(crash());
  expect([...(await answer).data]).toEqual([1, 1, 2, 1, 3, 1]);
  expect(replica.batches.map((batch) => batch.offsets.length - 1)).toEqual([3, 1, 1, 1]);
});

/** Dies of every batch that has the id 666. */
function poisonable(): FakeReplica {
  const replica = new FakeReplica();
  const embed = replica.embed.bind(replica);
  replica.embed = async (batch) => {
    const vectors = await embed(batch);
    if (batch.ids.includes(666)) throw crash();
    return vectors;
  };
  return replica;
}

const from = (requestId: string) => ({ requestId, caller: 'anyone' });

test('an input that kills its runner twice is refused by name; the others of its batch get their vectors', async () => {
  const replica = poisonable();
  const told: (readonly string[])[] = [];
  const scheduler = schedulerOf(replica, { observer: { onQuarantined: (requestIds) => told.push(requestIds) } });
  const poisoned = scheduler.embed([ids(1), ids(666)], undefined, from('req_1'));
  const healthy = scheduler.embed([ids(4)], undefined, from('req_2'));
  await expect(poisoned).rejects.toMatchObject({
    code: 'input_quarantined',
    status: 422,
    retry: false,
    details: { param: 'input[1]', seconds: 600 },
  });
  expect([...(await healthy).data]).toEqual([4, 1]);
  expect(scheduler.isIdle).toBe(true);
  expect(replica.batches.filter((batch) => batch.ids.includes(666))).toHaveLength(2);
  expect(told).toEqual([['req_1']]);
});

test('an input in quarantine is refused at once, in any request, for its time', async () => {
  const replica = poisonable();
  const clock = { nowMs: 0 };
  const scheduler = schedulerOf(replica, { quarantine: new Quarantine({ nowMs: () => clock.nowMs }) });
  await expect(scheduler.embed([ids(666)])).rejects.toMatchObject({ code: 'input_quarantined' });
  const before = replica.batches.length;
  await expect(scheduler.embed([ids(5), ids(6), ids(666)])).rejects.toMatchObject({ details: { param: 'input[2]' } });
  expect(replica.batches).toHaveLength(before);
  expect(scheduler.isIdle).toBe(true);
  clock.nowMs = 600_000;
  await expect(scheduler.embed([ids(666)])).rejects.toMatchObject({ code: 'input_quarantined' });
  expect(replica.batches).toHaveLength(before + 2);
});

test('what a request with a poisoned input still waits for is not computed, unless others want it', async () => {
  const replica = new FakeReplica({ isAutomatic: false });
  const scheduler = schedulerOf(replica);
  const poisoned = scheduler.embed([ids(666)]);
  await settle();
  const outcome = expect(poisoned).rejects.toMatchObject({ code: 'input_quarantined' });
  const both = scheduler.embed([ids(666), ids(1), ids(2)]);
  const bothFail = expect(both).rejects.toMatchObject({ details: { param: 'input[0]' } });
  const other = scheduler.embed([ids(2)]);
  await replica.finish(crash());
  await replica.finish(crash());
  await outcome;
  await bothFail;
  await replica.finish();
  expect([...(await other).data]).toEqual([2, 1]);
  expect(replica.batches.map((batch) => [...batch.ids])).toEqual([[666], [666], [2]]);
  expect(scheduler.isIdle).toBe(true);
});

test('a crash in company, or one crash alone, convicts nobody', async () => {
  const replica = new FakeReplica({ isAutomatic: false });
  const scheduler = schedulerOf(replica);
  const together = scheduler.embed([ids(1), ids(2)]);
  await settle();
  await replica.finish(crash()); // both at once
  await replica.finish();
  await replica.finish();
  expect([...(await together).data]).toEqual([1, 1, 2, 1]);
  const alone = scheduler.embed([ids(1)]);
  await settle();
  await replica.finish(crash());
  await replica.finish();
  expect([...(await alone).data]).toEqual([1, 1]);
});

test('runners that give up are no proof against an input', async () => {
  const broken = new ServiceError('model_broken', { model: 'm', reason: 'no memory' });
  const replica = new FakeReplica({ isAutomatic: false });
  const scheduler = schedulerOf(replica);
  const answer = scheduler.embed([ids(1)]);
  const outcome = expect(answer).rejects.toBe(broken);
  await settle();
  for (let i = 0; i < 3; i++) await replica.finish(broken);
  await outcome;
  replica.isAutomatic = true;
  expect([...(await scheduler.embed([ids(1)])).data]).toEqual([1, 1]);
});

test('a vector that is not finite is an error that names its input, and no other input suffers', async () => {
  const replica = new FakeReplica();
  const embed = replica.embed.bind(replica);
  replica.embed = async (batch) => {
    const vectors = await embed(batch);
    for (let row = 0; row < vectors.rows; row++) if (vectors.data[row * 2] === 13) vectors.data[row * 2 + 1] = NaN;
    return vectors;
  };
  const scheduler = schedulerOf(replica);
  const bad = scheduler.embed([ids(4), ids(13)]);
  const good = scheduler.embed([ids(5)]);
  await expect(bad).rejects.toMatchObject({ code: 'non_finite_output', details: { param: 'input[1]' } });
  expect([...(await good).data]).toEqual([5, 1]);
});

test('when every replica has given up, what waits and what comes fails with its reason', async () => {
  const broken = new ServiceError('model_broken', { model: 'm', reason: 'no memory' });
  const replica = new FakeReplica();
  replica.ready = () => Promise.reject(broken);
  const scheduler = schedulerOf(replica);
  await expect(scheduler.embed([ids(1)])).rejects.toBe(broken);
  await expect(scheduler.embed([ids(2)])).rejects.toBe(broken);
});

test('closing fails what waits instead of leaving it without an answer, and reports an empty queue', async () => {
  let waitingTokens = -1;
  const scheduler = schedulerOf(new FakeReplica({ isAutomatic: false }), {
    observer: { onQueue: (tokens) => (waitingTokens = tokens) },
  });
  const waiting = scheduler.embed([ids(1)]);
  await settle();
  const outcome = expect(waiting).rejects.toMatchObject({ code: 'shutting_down' });
  await scheduler.close();
  await outcome;
  expect(waitingTokens).toBe(0);
});

test('a query on an idle machine goes to the replica that worked last: its caches are warm', async () => {
  const replicas = [new FakeReplica(), new FakeReplica()];
  const scheduler = new Scheduler({ model: 'm', replicas, maxBatchTokens: 100, maxQueueTokens: 1000, nowMs: () => 0 });
  await settle();
  for (let i = 1; i <= 6; i++) {
    await scheduler.embed([ids(i)]);
    await settle();
  }
  expect(replicas.map(({ batches }) => batches.length)).toContain(6);
});

test('equal ids of which pooling leaves out different tokens are computed apart, in one batch', async () => {
  const replica = new FakeReplica();
  const scheduler = schedulerOf(replica);
  const skipping = (skip: number) => ({ ...ids(1, 2, 3), skip });
  await scheduler.embed([skipping(1), ids(1, 2, 3), skipping(2), skipping(1), skipping(0)]);
  expect(replica.batches.map(({ skips }) => [...(skips ?? [])])).toEqual([[1, 0, 2]]);
  await scheduler.embed([skipping(0)]);
  expect(replica.batches[1]).not.toHaveProperty('skips');
});

test('a request whose time is over while it waits is answered, and never runs', async () => {
  const replica = new FakeReplica({ isAutomatic: false });
  let nowMs = 0;
  const refused: string[] = [];
  const scheduler = new Scheduler({
    model: 'm',
    replicas: [replica],
    maxBatchTokens: 100,
    maxQueueTokens: 1000,
    nowMs: () => nowMs,
    observer: { onRefused: (reason) => refused.push(reason) },
  });
  const running = scheduler.embed([ids(1)]);
  await settle();
  const late = scheduler.embed([ids(2)], undefined, { requestId: 'r', caller: 'a', deadlineMs: 500 });
  const patient = scheduler.embed([ids(3)], undefined, { requestId: 's', caller: 'a', deadlineMs: 5000 });
  const outcome = expect(late).rejects.toMatchObject({ code: 'deadline_exceeded' });
  nowMs = 1000;
  await replica.finish();
  await replica.finish();
  await outcome;
  await Promise.all([running, patient]);
  expect(replica.batches.map((batch) => [...batch.ids])).toEqual([[1], [3]]);
  expect(refused).toEqual(['late']);
  expect(scheduler.isIdle).toBe(true);
});

test('a wait that is longer than a request may take is refused before anything is done for it', async () => {
  const replica = new FakeReplica({ isAutomatic: false });
  let nowMs = 0;
  const scheduler = new Scheduler({
    model: 'm',
    replicas: [replica],
    maxBatchTokens: 100,
    maxQueueTokens: 1000,
    nowMs: () => nowMs,
  });
  const hundred = (id: number) => ({ ids: new Int32Array(100).fill(id) });
  const work = [scheduler.embed([hundred(0)])]; // alone: nothing is measured of it
  await settle();
  for (const id of [1, 2, 3, 4]) work.push(scheduler.embed([hundred(id)]));
  expect(scheduler.tokensPerSecond).toBe(0);
  nowMs = 1000;
  await replica.finish();
  expect(scheduler.tokensPerSecond).toBe(0);
  nowMs = 2000;
  await replica.finish();
  expect(scheduler.tokensPerSecond).toBe(100);
  const origin = (deadlineMs: number) => ({ requestId: 's', caller: '', deadlineMs });
  expect(scheduler.refuseEarly(500, origin(3000))).toMatchObject({ code: 'wait_too_long' });
  await expect(scheduler.embed([hundred(5)], undefined, origin(3000))).rejects.toMatchObject({ code: 'wait_too_long' });
  expect(scheduler.refuseEarly(500, origin(60_000))).toBeUndefined();
  replica.isAutomatic = true;
  await replica.finish();
  await Promise.all(work);
});
