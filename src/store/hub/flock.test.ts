import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { takeFlock } from './flock.ts';

const { signal } = new AbortController();
const noWait = () => {
  throw new Error('it waits');
};

test('one at a time, and who waits is told', async () => {
  const path = join(tempFolder(), 'lock');
  const first = await takeFlock(path, { onWait: noWait, signal });
  const onWait = vi.fn<() => void>(() => void first?.close());
  const second = await takeFlock(path, { onWait, signal });
  expect(onWait).toHaveBeenCalledOnce();
  await second?.close();
});

test('a lock file that is deleted meanwhile keeps nobody away: the next one is taken', async () => {
  const path = join(tempFolder(), 'lock');
  const first = await takeFlock(path, { onWait: noWait, signal });
  const onWait = () => {
    rmSync(path);
    void first?.close();
  };
  const second = await takeFlock(path, { onWait, signal });
  let hasWaited = false;
  const third = await takeFlock(path, {
    onWait: () => {
      hasWaited = true;
      void second?.close();
    },
    signal,
  });
  expect(hasWaited).toBe(true);
  await third?.close();
});

test('whoever is told to stop waits no longer', async () => {
  const path = join(tempFolder(), 'lock');
  const first = await takeFlock(path, { onWait: noWait, signal });
  const stop = new AbortController();
  const waiting = takeFlock(path, {
    onWait: () => setImmediate(() => stop.abort(new Error('left'))),
    signal: stop.signal,
  });
  await expect(waiting).rejects.toThrow('left');
  await first?.close();
  await (await takeFlock(path, { onWait: noWait, signal }))?.close();
});

test('it is the lock of the command flock', async () => {
  const path = join(tempFolder(), 'lock');
  const child = spawn('sh', ['-c', 'exec flock -x "$0" sh -c "echo held; exec cat"', path]);
  onTestFinished(() => void child.kill());
  await once(child.stdout, 'data');
  const onWait = vi.fn<() => void>(() => void child.stdin.end());
  await (await takeFlock(path, { onWait, signal }))?.close();
  expect(onWait).toHaveBeenCalledOnce();
});

test('without the command, and where it fails, there is no lock', async () => {
  const path = join(tempFolder(), 'lock');
  for (const command of ['no-such-command', '/etc', 'false'])
    expect(await takeFlock(path, { onWait: () => {}, signal }, command)).toBeUndefined();
});
