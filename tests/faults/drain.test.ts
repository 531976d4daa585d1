import { Agent, get } from 'node:http';
import { expect, test } from 'vitest';
import { ask, bundledModel, startService, until } from '../e2e/service.ts';

/** Status and `Connection` header of a GET over a kept connection. */
function getKept(agent: Agent, url: string): Promise<{ status: number; connection: string | undefined }> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode ?? 0, connection: response.headers.connection }));
    }).on('error', reject);
  });
}

test('a stop with EMBEDDINGS_DRAIN_SECONDS: not ready at once, serving meanwhile, then gone; kept connections are ended', async () => {
  const service = await startService('--drain-seconds', '3', '--replicas', '1');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect((await getKept(agent, `${service.url}/livez`)).connection).toBe('keep-alive');
  const startMs = performance.now();
  service.kill('SIGTERM');
  await until('the service is not ready', async () => (await fetch(`${service.url}/readyz`)).status === 503);
  expect(performance.now() - startMs).toBeLessThan(1500);
  expect(await (await fetch(`${service.url}/readyz`)).json()).toMatchObject({ status: 'unavailable', draining: true });
  expect(await getKept(agent, `${service.url}/livez`)).toEqual({ status: 200, connection: 'close' });
  expect((await ask(service.url, bundledModel, [[101, 2000, 102]])).status).toBe(200);
  expect(await service.ended).toBe(0);
  expect(performance.now() - startMs).toBeGreaterThan(2900);
  expect(performance.now() - startMs).toBeLessThan(8000);
  agent.destroy();
});

test('a second signal ends the wait', async () => {
  const service = await startService('--drain-seconds', '60', '--replicas', '1');
  service.kill('SIGTERM');
  await until('the service is not ready', async () => (await fetch(`${service.url}/readyz`)).status === 503);
  service.kill('SIGTERM');
  expect(await service.ended).toBe(143);
});
