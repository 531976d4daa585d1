import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { repositoryCache } from '../../src/store/hub-cache.ts';
import type { DownloadProgress } from '../../src/store/hub/download-progress.ts';
import type { DownloadSystem } from '../../src/store/hub/download-system.ts';
import { takeFlock } from '../../src/store/hub/flock.ts';
import { importBuilt } from '../built.ts';
import { tempFolder } from '../graph/temp-folder.ts';
import type { FakeHub } from './fake-hub.ts';
import {
  cacheFor,
  etagOf,
  expectNothingCorrupt,
  fastSystem,
  hubOf,
  modelId,
  partialBytes,
  smallModel,
  weightBytes,
} from './hub-fixture.ts';

const repository = smallModel();
const etag = etagOf(repository, 'model.safetensors');
const slow = { host: 'cdn', path: etag, fault: { slow: { pieceBytes: 20_000, pauseMs: 20 } } } as const;

const withoutFlock: Partial<DownloadSystem> = { flock: (path, options) => takeFlock(path, options, 'no-such-command') };
const withAndWithoutFlock: [string, Partial<DownloadSystem>][] = [
  ['flock', {}],
  ['a machine without flock', withoutFlock],
];

test('two processes that download the same model at once fetch it once', async () => {
  await importBuilt('store/hub/download-model.ts');
  const hub = await hubOf();
  hub.addFault(slow);
  const folder = tempFolder();
  const [first, second] = await Promise.all([output(start(hub, folder)), output(start(hub, folder))]);
  expect(first).toBe(join(repositoryCache(folder, modelId).snapshots, repository.commit));
  expect(second).toBe(first);
  expectNothingCorrupt(folder, repository);
  expect(hub.requests.filter(({ host, path }) => host === 'cdn' && path.includes(etag))).toHaveLength(1);
});

test('what a killed process leaves is gone on with by another', async () => {
  await importBuilt('store/hub/download-model.ts');
  const hub = await hubOf();
  hub.addFault(slow);
  const folder = tempFolder();
  const killed = start(hub, folder);
  await vi.waitFor(
    () => expect(partialBytes(folder, repository, 'model.safetensors')).toBeGreaterThan(100_000),
    20_000,
  );
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  const left = partialBytes(folder, repository, 'model.safetensors');
  expect(left).toBeLessThan(weightBytes);
  expectNothingCorrupt(folder, repository);
  expect(cacheFor(hub, folder).locate()).toBeUndefined();
  hub.forgetRequests();
  const startedMs = performance.now();
  await output(start(hub, folder));
  expect(performance.now() - startedMs).toBeLessThan(5000); // the lock went with the process
  expectNothingCorrupt(folder, repository);
  const ranges = hub.requests.filter(({ path }) => path.includes(etag)).map(({ headers }) => headers.range);
  expect(ranges).toEqual([`bytes=${left}-`]);
});

test.each(withAndWithoutFlock)(
  'a download that waits for another says so, and can be told to stop: %s',
  async (_, changes) => {
    const hub = await hubOf();
    hub.addFault({ ...slow, fault: { hangAfterBytes: 100_000 } });
    const folder = tempFolder();
    const holder = new AbortController();
    const held = cacheFor(hub, folder)
      .download({ signal: holder.signal }, fastSystem(changes))
      .catch(() => {});
    await vi.waitFor(() => expect(partialBytes(folder, repository, 'model.safetensors')).toBeGreaterThan(0), 20_000);
    const waiter = new AbortController();
    const onProgress = ({ isWaiting }: DownloadProgress) => {
      if (isWaiting === true) setTimeout(() => waiter.abort(new Error('no time')), 100);
    };
    const waiting = cacheFor(hub, folder).download({ signal: waiter.signal, onProgress }, fastSystem(changes));
    await expect(waiting).rejects.toThrow('no time');
    holder.abort();
    await held;
  },
);

test.each(withAndWithoutFlock)('two downloads at once fetch the weights once: %s', async (_, changes) => {
  const hub = await hubOf();
  hub.addFault(slow);
  const folder = tempFolder();
  const download = () => cacheFor(hub, folder).download({}, fastSystem(changes));
  const [first, second] = await Promise.all([download(), download()]);
  expect(second).toEqual(first);
  expectNothingCorrupt(folder, repository);
  expect(hub.requests.filter(({ host, path }) => host === 'cdn' && path.includes(etag))).toHaveLength(1);
});

test('without flock, after a lost lock the part is thrown away, for another may have written to it', async () => {
  const hub = await hubOf();
  hub.addFault(slow);
  const cache = cacheFor(hub);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  let lost = false;
  const onProgress = () => {
    if (lost || partialBytes(cache.folder, repository, 'model.safetensors') < 100_000) return;
    lost = true;
    for (const lock of locksIn(cache.folder)) rmSync(lock, { recursive: true });
    vi.advanceTimersByTime(4000); // the lock looks after itself every 3 s
  };
  await cache.download({ onProgress }, fastSystem(withoutFlock));
  expectNothingCorrupt(cache.folder, repository);
  const ranges = hub.requests
    .filter(({ host, path }) => host === 'cdn' && path.includes(etag))
    .map(({ headers }) => headers.range);
  expect(ranges).toEqual([undefined, undefined]);
  expect(locksIn(cache.folder).filter((path) => path.endsWith('.embeddings'))).toEqual([]);
});

function start(hub: FakeHub, folder: string): ChildProcess {
  const [script, module] = ['download-process.mjs', '../../dist/store/hub/download-model.js'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const child = spawn(process.execPath, [script ?? '', module ?? '', hub.endpoint, folder, modelId]);
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function output(child: ChildProcess): Promise<string> {
  const [out, errors] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'exit')]); // both are pipes
  expect(errors).toBe('');
  return out;
}

function locksIn(folder: string): readonly string[] {
  const { locks } = repositoryCache(folder, modelId);
  return readdirSync(locks).map((name) => join(locks, name));
}
