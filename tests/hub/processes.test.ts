import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { repositoryCache } from '../../src/store/hub-cache.ts';
import { importBuilt } from '../built.ts';
import { tempFolder } from '../graph/temp-folder.ts';
import type { FakeHub } from './fake-hub.ts';
import {
  cacheFor,
  expectNothingCorrupt,
  fastSystem,
  hubOf,
  modelId,
  partialBytes,
  smallModel,
  weightBytes,
} from './hub-fixture.ts';

const repository = smallModel();
const etag = repository.files.get('model.safetensors')?.etag ?? '';
const slow = { host: 'cdn', path: etag, fault: { slow: { pieceBytes: 20_000, pauseMs: 20 } } } as const;

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
  makeLocksStale(folder);
  await output(start(hub, folder));
  expectNothingCorrupt(folder, repository);
  const ranges = hub.requests.filter(({ path }) => path.includes(etag)).map(({ headers }) => headers.range);
  expect(ranges).toEqual([`bytes=${left}-`]);
});

test('a download that waits for another can be told to stop', async () => {
  const hub = await hubOf();
  hub.addFault({ ...slow, fault: { hangAfterBytes: 100_000 } });
  const folder = tempFolder();
  const holder = new AbortController();
  const held = cacheFor(hub, folder)
    .download({ signal: holder.signal })
    .catch(() => {});
  await vi.waitFor(() => expect(partialBytes(folder, repository, 'model.safetensors')).toBeGreaterThan(0), 20_000);
  const waiter = new AbortController();
  const waits: number[] = [];
  const sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
    waits.push(ms);
    waiter.abort(new Error('no time'));
    signal.throwIfAborted();
  };
  const waiting = cacheFor(hub, folder).download({ signal: waiter.signal }, fastSystem({ sleep }));
  await expect(waiting).rejects.toThrow('no time');
  expect(waits).toEqual([500]);
  holder.abort();
  await held;
});

test('after a lost lock the part is thrown away, for another may have written to it', async () => {
  const hub = await hubOf();
  hub.addFault(slow);
  const cache = cacheFor(hub);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  let lost = false;
  await cache.download({
    onProgress: () => {
      if (lost || partialBytes(cache.folder, repository, 'model.safetensors') < 100_000) return;
      lost = true;
      for (const lock of locksIn(cache.folder)) rmSync(lock, { recursive: true });
      vi.advanceTimersByTime(6000); // the lock looks after itself every 5 s
    },
  });
  expectNothingCorrupt(cache.folder, repository);
  const ranges = hub.requests
    .filter(({ host, path }) => host === 'cdn' && path.includes(etag))
    .map(({ headers }) => headers.range);
  expect(ranges).toEqual([undefined, undefined]);
  expect(locksIn(cache.folder)).toEqual([]);
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

/** As if time had passed since the process died. */
function makeLocksStale(folder: string): void {
  for (const lock of locksIn(folder)) utimesSync(lock, 1, 1);
}
