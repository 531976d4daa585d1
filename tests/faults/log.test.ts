import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { ask, bundledModel, until } from '../e2e/service.ts';
import { importBuilt } from '../built.ts';

const cli = join(import.meta.dirname, '../../dist/cli.js');

/** The service with the log wherever `stdout` leads; its address comes on stderr. */
async function start(stdout: number | 'pipe') {
  await importBuilt('config.ts');
  const args = [cli, 'serve', '--host', '127.0.0.1', '--port', '0', '--replicas', '1', '--log-level', 'debug'];
  const child = spawn(process.execPath, args, {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], HF_HUB_CACHE: join(tmpdir(), 'no-such-cache') },
    stdio: ['ignore', stdout, 'pipe'],
  });
  let said = '';
  createInterface({ input: child.stderr! }).on('line', (line) => (said += `${line}\n`));
  const url = await until('the service listens', () => /listens on (http\S+)/.exec(said)?.[1]);
  const isReady = async () => (await fetch(`${url}/readyz`)).ok;
  return { child, url, ready: () => until('the service is ready', isReady) };
}

async function expectAnswers(url: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { status } = await ask(url, bundledModel, [[101, 2000 + (i % 1000), 102]]);
    expect(status).toBe(200);
  }
}

async function stop(child: Awaited<ReturnType<typeof start>>['child']): Promise<unknown> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  return (await ended)[0];
}

test('a log on a full disk costs its lines, and nothing else', async () => {
  const full = openSync('/dev/full', 'w');
  const { child, url, ready } = await start(full);
  closeSync(full);
  await ready();
  await expectAnswers(url, 20);
  expect(await stop(child)).toBe(0);
});

test('a log whose reader has gone costs its lines, and nothing else', async () => {
  const { child, url, ready } = await start('pipe');
  child.stdout!.destroy();
  await ready();
  await expectAnswers(url, 20);
  expect(await stop(child)).toBe(0);
});

test('a log that nobody reads for a while stops nobody; the log says how many lines were lost', async () => {
  const { child, url, ready } = await start('pipe');
  await ready();
  let log = '';
  const ask100 = async () => Promise.all(Array.from({ length: 100 }, async () => fetch(`${url}/livez`)));
  for (let round = 0; round < 200; round++) await ask100(); // 20,000 lines of some 150 bytes: more than pipe and memory hold
  child.stdout!.on('data', (chunk: Buffer) => (log += chunk.toString()));
  await until('the log goes on', async () => {
    await fetch(`${url}/livez`);
    return /"lines":[1-9]\d*,"msg":"lines of this log were lost/.test(log);
  });
  for (const line of log.trim().split('\n').slice(0, -1)) JSON.parse(line); // none is cut
  expect(await stop(child)).toBe(0);
});
