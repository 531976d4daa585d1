import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ask, bundledModel, distinctInputs, runnerPids, until } from '../e2e/service.ts';
import { startApp } from './app.ts';

/** A process gets `extraMb` of address space beyond what it has now. */
function limitMemory(pid: number, extraMb: number): void {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[0]);
  execFileSync('prlimit', ['--pid', String(pid), `--as=${pages * 4096 + extraMb * 2 ** 20}`]);
}

const oneRunner = { EMBEDDINGS_REPLICAS: '1', EMBEDDINGS_THREADS: '1' };

test('a runner that runs out of memory is replaced, and each request gets its vectors', async () => {
  const { app, url, logLines } = await startApp({
    variables: { ...oneRunner, EMBEDDINGS_MAX_BATCH_TOKENS: '32768' },
  });
  try {
    await until('the service is ready', async () => (await fetch(`${url}/readyz`)).ok);
    const [runner = 0] = await runnerPids(url);
    limitMemory(runner, 8);
    const { status, body } = await ask(url, bundledModel, distinctInputs(1, 256)); // 16,384 tokens in one batch
    expect([status, body.data?.length]).toEqual([200, 256]);
    expect(await runnerPids(url)).not.toContain(runner);
    expect(logLines.filter(({ msg }) => String(msg).includes('runner stopped'))).toHaveLength(1);
    expect(logLines.filter(({ code }) => code === 'internal_error')).toEqual([]);
  } finally {
    await app.close();
  }
});

test('an input that no runner has the memory for ends in quarantine, not in an endless loop', async () => {
  const limited = new Set<number>();
  const { app, url } = await startApp({
    variables: { ...oneRunner, EMBEDDINGS_MAX_BATCH_TOKENS: '32768' },
    // Each runner, before it works on the long input, is left without memory.
    meddle: (channel) => ({
      ...channel,
      send: (message) => {
        if (message.kind === 'run' && message.ids.length === 512 && channel.pid !== undefined) {
          limitMemory(channel.pid, 0);
          limited.add(channel.pid);
        }
        channel.send(message);
      },
    }),
  });
  try {
    await until('the service is ready', async () => (await fetch(`${url}/readyz`)).ok);
    const long = [101, ...Array.from({ length: 510 }, (_, at) => 2000 + at), 102];
    const { status, body } = await ask(url, bundledModel, [long]);
    expect([status, body.error?.code]).toEqual([422, 'input_quarantined']);
    expect(limited.size).toBe(2);
    expect((await ask(url, bundledModel, distinctInputs(1, 4))).status).toBe(200);
  } finally {
    await app.close();
  }
});
