import { expect, test } from 'vitest';
import { ask, bundledModel, distinctInputs, runnerPids, startLoad, startService, until } from '../e2e/service.ts';
import { startApp } from './app.ts';

test('a runner that hangs is killed, its work is done by another, and the vectors are the same', async () => {
  const { app, url, logLines } = await startApp({
    variables: { EMBEDDINGS_REPLICAS: '2', EMBEDDINGS_THREADS: '1' },
    longestPauseMs: 1000,
  });
  try {
    await until('both runners are there', async () => (await runnerPids(url)).length === 2);
    const inputs = distinctInputs(1, 64);
    for (let round = 0; round < 3; round++) await ask(url, bundledModel, distinctInputs(round + 50, 64)); // both have worked
    const { body: before } = await ask(url, bundledModel, inputs);
    const [victim = 0] = await runnerPids(url);
    process.kill(victim, 'SIGSTOP');
    const { status, body: after } = await ask(url, bundledModel, inputs);
    expect(status).toBe(200);
    after.data?.forEach(({ embedding }, row) =>
      embedding.forEach((value, i) => expect(Math.abs(value - before.data![row]!.embedding[i]!)).toBeLessThan(1e-6)),
    );
    await until('the other runner is back', async () => {
      const pids = await runnerPids(url);
      return pids.length === 2 && !pids.includes(victim);
    });
    const lines = logLines.filter(({ msg }) => String(msg).includes('runner stopped'));
    expect(lines).toEqual([
      expect.objectContaining({ reason: expect.stringMatching(/^it did not answer within \d+ s$/) as string }),
    ]);
  } finally {
    await app.close();
  }
});

test('a runner that is only held up for some seconds goes on, and nothing is lost', async () => {
  const service = await startService('--replicas', '1', '--threads', '1');
  const [runner = 0] = await runnerPids(service.url);
  const load = await startLoad(service.url, bundledModel, 4);
  process.kill(runner, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 3000));
  process.kill(runner, 'SIGCONT');
  expect((await Promise.all(load)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(await runnerPids(service.url)).toEqual([runner]);
  service.kill('SIGTERM');
  expect(await service.ended).toBe(0);
});
