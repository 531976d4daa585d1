import { expect, test } from 'vitest';
import { load } from '../../tests/engine/load-message.ts';
import type { FromRunner, ToRunner } from './messages.ts';
import type { RunnerEvents } from './runner-channel.ts';
import { RunnerReplica } from './runner-replica.ts';

const batch = { ids: Int32Array.of(1, 2), offsets: Int32Array.of(0, 2) };
const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

/** Runner processes played by the test: each start adds one. */
function stage() {
  const processes: {
    readonly sent: ToRunner[];
    readonly says: (message: FromRunner) => void;
    readonly dies: (reason: string, neverStarted?: boolean) => void;
    isKilled: boolean;
  }[] = [];
  const waits: number[] = [];
  const watchdogs: (() => void)[] = [];
  const lastChances: (() => void)[] = [];
  const watchdogMs: number[] = [];
  const loadTimers: (() => void)[] = [];
  const crashes: string[] = [];
  const givenUp: string[] = [];
  const replica = new RunnerReplica({
    model: 'm',
    load,
    limits: { maxTokens: 8, dimensions: 2 },
    cost: (lengths) => lengths.reduce((sum, length) => sum + length, 0),
    maxMsPerCost: 1000,
    openChannel: (events: RunnerEvents) => {
      const sent: ToRunner[] = [];
      const process = { sent, says: events.message, dies: events.exit, isKilled: false };
      processes.push(process);
      return { pid: processes.length, send: (message) => sent.push(message), kill: () => (process.isKilled = true) };
    },
    startTimer: (ms, action) => {
      if (ms === 900_000) return cancelable(loadTimers, action);
      if (ms === 1000) return cancelable(lastChances, action);
      if (ms > 30_000) {
        watchdogMs.push(ms);
        return cancelable(watchdogs, action);
      }
      waits.push(ms);
      void Promise.resolve().then(action);
      return () => {};
    },
    onCrash: (reason) => crashes.push(reason),
    onGiveUp: (reason) => givenUp.push(reason),
  });
  return { replica, processes, waits, watchdogs, lastChances, watchdogMs, loadTimers, crashes, givenUp };
}

function cancelable(list: (() => void)[], action: () => void): () => void {
  list.push(action);
  return () => list.splice(list.indexOf(action), 1);
}

const ran = (id: number, runMs = 1): FromRunner => ({
  kind: 'ran',
  id,
  data: Float32Array.of(0.6, 0.8),
  rows: 1,
  dim: 2,
  runMs,
});

test('a batch waits for the load and comes back with its vectors', async () => {
  const { replica, processes } = stage();
  const answer = replica.embed(batch);
  await settle();
  expect(processes[0]?.sent).toEqual([load]);
  processes[0]?.says({ kind: 'loaded' });
  await settle();
  expect(processes[0]?.sent[1]).toEqual({ kind: 'run', id: 0, ...batch });
  processes[0]?.says(ran(0));
  expect(await answer).toEqual({ data: Float32Array.of(0.6, 0.8), rows: 1, dim: 2 });
});

test('a crash fails only what was in flight, and the runner comes back by itself', async () => {
  const { replica, processes, waits, crashes } = stage();
  processes[0]?.says({ kind: 'loaded' });
  const lost = replica.embed(batch);
  await settle();
  processes[0]?.dies('signal SIGKILL');
  await expect(lost).rejects.toMatchObject({
    code: 'runner_crashed',
    details: { reason: 'signal SIGKILL', retryAfterSeconds: 1 },
  });
  await settle();
  expect(processes).toHaveLength(2);
  const next = replica.embed(batch);
  processes[1]?.says({ kind: 'loaded' });
  await settle();
  processes[1]?.says(ran(1));
  expect((await next).rows).toBe(1);
  expect(waits).toEqual([0]);
  expect(crashes).toEqual(['signal SIGKILL']);
});

test('crash after crash waits longer each time; a good batch ends the count', async () => {
  const { replica, processes, waits } = stage();
  for (let i = 0; i < 3; i++) {
    processes.at(-1)?.says({ kind: 'loaded' });
    replica.embed(batch).catch(() => {});
    await settle();
    processes.at(-1)?.dies('exit code 134');
    await settle();
  }
  expect(waits).toEqual([0, 100, 500]);
  processes.at(-1)?.says({ kind: 'loaded' });
  const answer = replica.embed(batch);
  await settle();
  processes.at(-1)?.says(ran(3));
  await answer;
  replica.embed(batch).catch(() => {});
  await settle();
  processes.at(-1)?.dies('exit code 134');
  await settle();
  expect(waits.at(-1)).toBe(0);
});

test('a model that cannot be loaded is given up at once, with the reason', async () => {
  const { replica, processes, givenUp } = stage();
  processes[0]?.says({ kind: 'load-failed', reason: 'bad weights' });
  await expect(replica.ready()).rejects.toMatchObject({ code: 'model_broken', details: { reason: 'bad weights' } });
  expect(givenUp).toEqual(['bad weights']);
  processes[0]?.dies('signal SIGKILL');
  await settle();
  expect(processes).toHaveLength(1);
});

test('a model whose load kills its process is given up after five tries', async () => {
  const { replica, processes } = stage();
  for (let i = 0; i < 5; i++) {
    processes.at(-1)?.dies('signal SIGKILL');
    await settle();
  }
  await expect(replica.ready()).rejects.toMatchObject({ code: 'model_broken' });
  expect(processes).toHaveLength(5);
});

test('a process that refuses a batch is replaced: it may be out of memory; the log has its reason, clients have not', async () => {
  const { replica, processes, crashes } = stage();
  processes[0]?.says({ kind: 'loaded' });
  const refused = replica.embed(batch);
  await settle();
  processes[0]?.says({ kind: 'run-failed', id: 0, reason: 'bad_alloc' });
  expect(processes[0]?.isKilled).toBe(true);
  processes[0]?.dies('signal SIGKILL');
  await expect(refused).rejects.toMatchObject({
    code: 'runner_crashed',
    details: { reason: 'it could not compute a batch' },
  });
  await settle();
  expect(crashes).toEqual(['it could not compute a batch: bad_alloc']);
  expect(processes).toHaveLength(2);
});

test('a closed replica kills its process, starts no other, fails what was in flight, and is closed when the process is gone', async () => {
  const { replica, processes } = stage();
  processes[0]?.says({ kind: 'loaded' });
  const lost = replica.embed(batch);
  await settle();
  const outcome = expect(lost).rejects.toMatchObject({ code: 'shutting_down' });
  let isClosed = false;
  const closed = replica.close().then(() => (isClosed = true));
  await outcome;
  await settle();
  expect([processes[0]?.isKilled, isClosed]).toEqual([true, false]);
  processes[0]?.dies('signal SIGKILL');
  await closed;
  await replica.close(); // again, at once
  expect(processes).toHaveLength(1);
});

test('a process that hangs is killed, and one that answers is not', async () => {
  const { replica, processes, watchdogs, lastChances, crashes } = stage();
  processes[0]?.says({ kind: 'loaded' });
  const answered = replica.embed(batch);
  await settle();
  processes[0]?.says(ran(0));
  await answered;
  expect(watchdogs).toEqual([]);
  const hanging = replica.embed(batch);
  await settle();
  watchdogs[0]?.();
  expect(processes[0]?.isKilled).toBe(false);
  lastChances[0]?.();
  expect(processes[0]?.isKilled).toBe(true);
  processes[0]?.dies('signal SIGKILL');
  await expect(hanging).rejects.toMatchObject({ code: 'runner_crashed' });
  expect(crashes).toEqual(['it did not answer within 31 s']);
});

test('an answer that lay there when the watch ended counts: the server itself had been stopped', async () => {
  const { replica, processes, watchdogs, lastChances } = stage();
  processes[0]?.says({ kind: 'loaded' });
  const answer = replica.embed(batch);
  await settle();
  watchdogs[0]?.();
  processes[0]?.says(ran(0));
  expect((await answer).rows).toBe(1);
  expect(lastChances).toEqual([]);
});

test('the first run may read weights from a disk; the time of those after it follows from what runs have taken', async () => {
  const { replica, processes, watchdogMs } = stage();
  processes[0]?.says({ kind: 'loaded' });
  const run = async (id: number, length: number, runMs: number) => {
    const answer = replica.embed({ ids: new Int32Array(length), offsets: Int32Array.of(0, length) });
    await settle();
    processes[0]?.says(ran(id, runMs));
    await answer;
  };
  await run(0, 2, 20); // 10 ms for one unit of cost
  await run(1, 100, 1000);
  await run(2, 32_768, 327_680);
  await run(3, 100, 1_000_000); // held up: no more than five times as slow as ever counts, and a fifth of that
  await run(4, 100, 1000);
  expect(watchdogMs).toEqual([
    300_000 + 2 * 1000,
    30_000 + 5 * 100 * 10,
    30_000 + 5 * 32_768 * 10,
    30_000 + 5 * 100 * 10,
    30_000 + 5 * 100 * 18,
  ]);
});

test('a watch is no longer than a timer can wait', async () => {
  const { replica, processes, watchdogMs } = stage();
  processes[0]?.says({ kind: 'loaded' });
  const answer = replica.embed({ ids: new Int32Array(10_000_000), offsets: Int32Array.of(0, 10_000_000) });
  await settle();
  processes[0]?.says(ran(0));
  await answer;
  expect(watchdogMs).toEqual([2 ** 31 - 1]);
});

test('an idle process that is killed comes back soon, however often', async () => {
  const { processes, waits } = stage();
  for (let i = 0; i < 8; i++) {
    processes.at(-1)?.says({ kind: 'loaded' });
    processes.at(-1)?.dies('signal SIGKILL');
    await settle();
  }
  expect(new Set(waits)).toEqual(new Set([100]));
});

test('a system that gives no process is asked again every two seconds, without end', async () => {
  const { replica, processes, waits, givenUp } = stage();
  for (let i = 0; i < 20; i++) {
    processes.at(-1)?.dies('spawn EMFILE', true);
    await settle();
  }
  expect(waits.slice(0, 5)).toEqual([0, 100, 500, 2000, 2000]);
  expect(Math.max(...waits)).toBe(2000);
  expect(givenUp).toEqual([]);
  processes.at(-1)?.says({ kind: 'loaded' });
  await replica.ready();
});

test('a load that hangs is given up, and one that ends is not', async () => {
  const { replica, processes, loadTimers } = stage();
  loadTimers[0]?.();
  await expect(replica.ready()).rejects.toMatchObject({ code: 'model_broken' });
  expect(processes[0]?.isKilled).toBe(true);
  const other = stage();
  other.processes[0]?.says({ kind: 'loaded' });
  expect(other.loadTimers).toEqual([]);
});

test('a batch for a closed replica is refused, and what its process still says counts for nothing', async () => {
  const { replica, processes } = stage();
  processes[0]?.says({ kind: 'loaded' });
  const closed = replica.close();
  await expect(replica.embed(batch)).rejects.toMatchObject({ code: 'shutting_down' });
  processes[0]?.says({ kind: 'load-failed', reason: 'late' });
  processes[0]?.dies('signal SIGKILL');
  await closed;
  await settle();
  expect(processes).toHaveLength(1);
});
