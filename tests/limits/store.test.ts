import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { findFreePort } from '../../bench/free-port.ts';
import { connectRedis } from '../../src/limits/connect-redis.ts';
import type { LimitStore } from '../../src/limits/limit-store.ts';
import { openStore } from '../../src/limits/open-store.ts';

const take = (key: string, amount: number) => ({ kind: 'tokens' as const, key, amount, limit: 100 });

/** What every store does. */
async function checkCounts(store: LimitStore): Promise<void> {
  expect(await store.peek(take('a', 0))).toMatchObject({ used: 0 });
  expect(await store.take(take('a', 60))).toMatchObject({ isTaken: true, used: 60 });
  const refused = await store.take(take('a', 50));
  expect(refused).toMatchObject({ isTaken: false, used: 60 });
  expect(refused.resetMs).toBeGreaterThan(50_000);
  expect(refused.resetMs).toBeLessThanOrEqual(60_000);
  expect(await store.take(take('a', 40))).toMatchObject({ isTaken: true, used: 100 }); // what was refused is not counted
  expect(await store.take(take('b', 40))).toMatchObject({ isTaken: true, used: 40 });
  await store.giveBack(take('a', 40));
  expect(await store.peek(take('a', 0))).toMatchObject({ used: 60 });
}

test('counts in memory', async () => {
  await checkCounts(openStore());
});

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

describe.skipIf(!hasRedis)('with redis-server (skipped where it is not installed)', () => {
  const started: { close: () => void }[] = [];
  afterEach(() => {
    for (const one of started.splice(0)) one.close();
  });

  async function connect(port: number, log: string[] = []): Promise<LimitStore> {
    const say = (_: object, message: string): void => void log.push(message);
    const redis = await connectRedis(`redis://127.0.0.1:${port}`, { info: say, warn: say });
    const store = openStore(redis);
    started.push(store);
    await expect.poll(() => redis.client.status).toBe('ready');
    return store;
  }

  test('counts there, the same for two servers', async () => {
    const { port } = await startRedis(started);
    const [one, other] = [await connect(port), await connect(port)];
    await checkCounts(one);
    expect(await other.take(take('a', 60))).toMatchObject({ isTaken: false, used: 60 });
    expect(await other.take(take('b', 60))).toMatchObject({ isTaken: true, used: 100 });
  });

  test('counts in memory while it is away, says so once, and there again when it is back', async () => {
    const { port, child } = await startRedis(started);
    const log: string[] = [];
    const store = await connect(port, log);
    await store.take(take('a', 10));
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (let i = 1; i <= 20; i++) expect(await store.take(take('a', 5))).toMatchObject({ isTaken: true, used: 5 * i });
    expect(await store.take(take('a', 5))).toMatchObject({ isTaken: false });
    await expect.poll(() => log).toHaveLength(1);
    expect(log[0]).toMatch(/^Redis is away/);
    await startRedis(started, port);
    await expect.poll(() => log, { timeout: 15_000 }).toHaveLength(2);
    expect(await store.take(take('a', 30))).toMatchObject({ isTaken: true, used: 30 });
  });

  test('one that does not answer holds no request up', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    started.push({ close: () => silent.close() });
    const { port } = silent.address() as AddressInfo;
    const redis = await connectRedis(`redis://127.0.0.1:${port}`, { info: () => {}, warn: () => {} });
    const store = openStore(redis);
    started.push(store);
    const start = performance.now();
    expect(await store.take(take('a', 5))).toMatchObject({ isTaken: true, used: 5 });
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

async function startRedis(
  started: { close: () => void }[],
  wanted?: number,
): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const port = wanted ?? (await findFreePort());
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', args, { stdio: 'ignore', cwd: '/tmp' });
  started.push({ close: () => child.kill('SIGKILL') });
  await sleep(300); // the clients wait for the rest
  return { port, child };
}
