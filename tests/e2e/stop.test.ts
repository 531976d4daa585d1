import { expect, test } from 'vitest';
import { isRunning } from '../../bench/process-tree.ts';
import { ask, bundledModel, runnerPids, startLoad, startService, until } from './service.ts';

const slow = ['--replicas', '1', '--threads', '1'];

test('a server killed with SIGKILL in the middle of work leaves no runner behind', async () => {
  const service = await startService();
  const runners = await runnerPids(service.url);
  expect(runners.length).toBeGreaterThan(0);
  expect(runners.filter(isRunning)).toEqual(runners);
  const load = await startLoad(service.url, bundledModel, 16);
  service.kill('SIGKILL');
  expect(await service.ended).toBe('SIGKILL');
  await until('no runner is left', () => !runners.some(isRunning), 10);
  await Promise.allSettled(load);
});

test('SIGTERM under load: every accepted request gets its vectors, then the process ends by itself', async () => {
  const service = await startService(...slow, '--shutdown-seconds', '50');
  const runners = await runnerPids(service.url);
  const load = await startLoad(service.url, bundledModel, 16);
  service.kill('SIGTERM');
  const answers = await Promise.all(load);
  expect(answers.map(({ status, body }) => [status, body.data?.length])).toEqual(answers.map(() => [200, 16]));
  const answeredMs = Date.now();
  expect(await service.ended).toBe(0);
  expect(Date.now() - answeredMs).toBeLessThan(5000); // clients that keep their connections do not hold it up
  await until('no runner is left', () => !runners.some(isRunning), 3);
  await expect(ask(service.url, bundledModel, [[101, 102]])).rejects.toThrow('fetch failed');
});

test('SIGTERM with too little time: every accepted request gets its vectors or a 503, and the process ends in time', async () => {
  const service = await startService(...slow, '--shutdown-seconds', '1');
  const runners = await runnerPids(service.url);
  const load = await startLoad(service.url, bundledModel, 64);
  const start = Date.now();
  service.kill('SIGTERM');
  const answers = await Promise.all(load);
  expect(await service.ended).toBe(0);
  expect(Date.now() - start).toBeLessThan(6000);
  await until('no runner is left', () => !runners.some(isRunning), 3);
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.length).toBeGreaterThan(0);
  for (const { status, retryAfter, body } of refused) {
    expect([status, body.error?.code]).toEqual([503, 'shutting_down']);
    expect(Object.keys(body.error ?? {}).toSorted()).toEqual(['code', 'message', 'param', 'type']);
    expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
  }
});
