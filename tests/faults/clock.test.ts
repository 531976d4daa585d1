import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ask, bundledModel, distinctInputs, runnerPids, startServiceWith, until } from '../e2e/service.ts';

test('a wall clock that jumps by days changes nothing: no timing depends on it', async () => {
  const preload = pathToFileURL(join(import.meta.dirname, 'shift-date.mjs')).href;
  const service = await startServiceWith(
    { NODE_OPTIONS: `--import ${preload}`, EMBEDDINGS_KEEP_ALIVE: '60s', EMBEDDINGS_API_KEYS: '' },
    '--replicas',
    '1',
  );
  const [runner = 0] = await runnerPids(service.url);
  for (let round = 0; round < 20; round++) {
    expect((await ask(service.url, bundledModel, distinctInputs(round, 4))).status).toBe(200);
    await sleep(100);
  }
  expect(await runnerPids(service.url)).toEqual([runner]); // neither unloaded nor taken for one that hangs
  process.kill(runner, 'SIGKILL');
  await until('the runner is back', async () => {
    const pids = await runnerPids(service.url);
    return pids.length === 1 && pids[0] !== runner && (await fetch(`${service.url}/readyz`)).ok;
  });
  expect((await ask(service.url, bundledModel, distinctInputs(99, 4))).status).toBe(200);
  const start = performance.now();
  service.kill('SIGTERM');
  expect(await service.ended).toBe(0);
  expect(performance.now() - start).toBeLessThan(5000);
});
