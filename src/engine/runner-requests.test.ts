import { expect, test } from 'vitest';
import { load } from '../../tests/engine/load-message.ts';
import type { ToRunner } from './messages.ts';
import type { RunnerEvents } from './runner-channel.ts';
import { RunnerReplica } from './runner-replica.ts';

const batch = { ids: Int32Array.of(1, 2), offsets: Int32Array.of(0, 2), requestIds: ['a', 'b'] };
const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

/** A loaded runner and all that its replica tells. */
async function stage() {
  const told: unknown[] = [];
  const sent: ToRunner[] = [];
  let events: RunnerEvents | undefined;
  const replica = new RunnerReplica({
    model: 'm',
    load,
    limits: { maxTokens: 8, dimensions: 2 },
    cost: () => 1,
    maxMsPerCost: 1000,
    openChannel: (listeners) => {
      events = listeners;
      return { pid: 1, send: (message) => sent.push(message), kill: () => {} };
    },
    startTimer: () => () => {},
    onCrash: (...crash) => told.push(['crash', ...crash]),
    onRun: (ms, { tokens, inputs, requestIds }) => told.push(['run', ms, { tokens, inputs, requestIds }]),
  });
  events?.message({ kind: 'loaded' });
  const answer = replica.embed(batch);
  answer.catch(() => {}); // each test looks at what it needs
  await settle();
  return { told, sent, answer, events: events! };
}

test('the ids of the requests travel to the runner, and a run comes back with them', async () => {
  const { told, sent, answer, events } = await stage();
  expect(sent[1]).toMatchObject({ kind: 'run', requestIds: ['a', 'b'] });
  events.message({ kind: 'ran', id: 0, data: Float32Array.of(0, 1), rows: 1, dim: 2, runMs: 7 });
  await answer;
  expect(told).toEqual([['run', 7, { tokens: 2, inputs: 1, requestIds: ['a', 'b'] }]]);
});

test('a crash names the requests that were in flight, and one while idle none', async () => {
  const { told, events } = await stage();
  events.exit('signal SIGSEGV');
  expect(told).toEqual([['crash', 'signal SIGSEGV', ['a', 'b']]]);
});

test('a refused batch names its requests', async () => {
  const { told, answer, events } = await stage();
  events.message({ kind: 'run-failed', id: 0, reason: 'no such shape' });
  events.exit('signal SIGKILL'); // what it refused is not computed by the same process again
  await expect(answer).rejects.toMatchObject({ code: 'runner_crashed' });
  expect(told).toEqual([['crash', 'it could not compute a batch: no such shape', ['a', 'b']]]);
});
