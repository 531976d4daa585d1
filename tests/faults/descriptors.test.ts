import { readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ask, bundledModel, runnerPids, startServiceIn, until } from '../e2e/service.ts';

/** POST over a connection that is kept. */
function post(agent: Agent, url: string, input: readonly number[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const call = request(`${url}/v1/embeddings`, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    call.on('error', reject);
    call.end(JSON.stringify({ model: bundledModel, input }));
  });
}

test('a server out of file descriptors answers those who are connected, and all when some are free again', async () => {
  const limit = 96;
  const service = await startServiceIn({ before: `ulimit -n ${limit}` }, '--replicas', '1', '--threads', '1');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect(await post(agent, service.url, [101, 2000, 102])).toBe(200);
  const [runner = 0] = await runnerPids(service.url);
  const { hostname, port } = new URL(service.url);
  const sockets = Array.from({ length: 2 * limit }, () => connect(Number(port), hostname).on('error', () => {}));
  await until('no file descriptor is left', () => readdirSync(`/proc/${service.pid}/fd`).length >= limit - 4);
  await sleep(500);
  for (let i = 0; i < 20; i++) expect(await post(agent, service.url, [101, 2001 + i, 102])).toBe(200);

  process.kill(runner, 'SIGKILL'); // there is no descriptor for a new one: it is tried again and again
  await sleep(3000);
  const waiting = post(agent, service.url, [101, 3000, 102]);
  for (const socket of sockets) socket.destroy();
  expect(await waiting).toBe(200);
  expect((await ask(service.url, bundledModel, [[101, 2000, 102]])).status).toBe(200);
  const pids = await runnerPids(service.url);
  expect(pids).toHaveLength(1);
  expect(pids).not.toContain(runner);
  service.kill('SIGTERM');
  expect(await service.ended).toBe(0);
  agent.destroy();
});
