import { expect, test } from 'vitest';
import { isRunning } from '../../bench/process-tree.ts';
import { ask, bundledModel, runnerPids, startService, startServiceWith, until } from '../e2e/service.ts';

test('readyz follows the runners, livez does not', async () => {
  const service = await startService('--replicas', '1');
  const [runner = 0] = await runnerPids(service.url);
  process.kill(runner, 'SIGKILL');
  const body = await until('the server is not ready', async () => {
    const response = await fetch(`${service.url}/readyz`);
    return response.status === 503 ? ((await response.json()) as object) : undefined;
  });
  expect(body).toMatchObject({ status: 'unavailable', restarting: [bundledModel], failed: [], draining: false });
  expect((await fetch(`${service.url}/livez`)).status).toBe(200);
  await until('the server is ready again', async () => (await fetch(`${service.url}/readyz`)).ok);
  expect((await ask(service.url, bundledModel, [[101, 2000, 102]])).status).toBe(200);
  service.kill('SIGTERM');
  expect(await service.ended).toBe(0);
});

test('an error that nobody caught is logged as fatal and ends the server with exit code 1', async () => {
  const module = 'setTimeout(() => { throw new Error("thrown on purpose"); }, 3000)';
  const service = await startServiceWith(
    { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(module)}` },
    '--replicas',
    '1',
  );
  const runners = await runnerPids(service.url);
  expect(await service.ended).toBe(1);
  const fatal = service.log
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ level }) => level === 60);
  expect(fatal).toEqual([
    expect.objectContaining({ origin: 'uncaughtException', msg: expect.stringContaining('exit code 1') as string }),
  ]);
  await until('no runner is left', () => !runners.some(isRunning), 5);
});
