import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryCache } from '../../src/store/hub-cache.ts';
import { realSystem } from '../../src/store/hub/download-system.ts';
import { findMissingFiles } from '../../src/store/missing-files.ts';
import type { HubError } from '../../src/store/hub/hub-error.ts';
import { tempFolder } from '../graph/temp-folder.ts';
import type { Fault, FaultRule, RecordedRequest } from './fake-hub.ts';
import {
  cacheFor,
  etagOf,
  expectNothingCorrupt,
  failure,
  fastSystem,
  filesBelow,
  hubOf,
  impatient,
  noise,
  partialBytes,
  smallModel,
  wantedOfSmallModel,
  weightBytes,
} from './hub-fixture.ts';

const repository = smallModel();
const weightsEtag = etagOf(repository, 'model.safetensors');

interface Case {
  readonly name: string;
  readonly rules: readonly FaultRule[];
  /** Of the first download; undefined where it succeeds in spite of the fault. The second always succeeds. */
  readonly fails?: HubError['kind'];
  /** How often the weights are asked for. */
  readonly requests?: number;
  /** What an earlier process left of the weights. */
  readonly left?: Buffer;
}

/** On the second host, which sends the weights. */
function weights(...faults: readonly Fault[]): readonly FaultRule[] {
  return faults.map((fault) => ({ fault, path: weightsEtag, host: 'cdn' }));
}

function listing(...faults: readonly Fault[]): readonly FaultRule[] {
  return faults.map((fault) => ({ fault, path: '/revision/' }));
}

/** Of a file on the hub itself; of the weights their redirect. */
function resolve(path: string, ...faults: readonly Fault[]): readonly FaultRule[] {
  return faults.map((fault) => ({ fault, path: `/resolve/${repository.commit}/${path}` }));
}

const half = weightBytes / 2;
const cut: Fault = { cutAfterBytes: half };

const cases: readonly Case[] = [
  { name: 'cut before the headers', rules: weights({ cutAfterBytes: 0 }) },
  { name: 'cut after the first byte', rules: weights({ cutAfterBytes: 1 }) },
  { name: 'cut in the middle', rules: weights(cut), requests: 2 },
  { name: 'cut before the last byte', rules: weights({ cutAfterBytes: weightBytes - 1 }) },
  {
    name: 'cut nine times, further each time',
    rules: weights(...Array.from({ length: 9 }, () => ({ cutAfterBytes: 30_000 }))),
  },
  {
    name: 'cut while it comes slowly',
    rules: weights({ cutAfterBytes: half, slow: { pieceBytes: 50_000, pauseMs: 2 } }),
  },
  { name: 'slow to the end', rules: weights({ slow: { pieceBytes: 40_000, pauseMs: 5 } }) },
  { name: 'no headers', rules: weights({ hangAfterBytes: 0 }) },
  { name: 'silence in the middle', rules: weights({ hangAfterBytes: half }) },
  { name: 'silence instead of the list', rules: listing({ hangAfterBytes: 0 }) },
  { name: 'silence instead of a redirect', rules: resolve('model.safetensors', { hangAfterBytes: 0 }) },
  { name: 'the first byte is wrong', rules: weights({ wrongByteAt: 0 }) },
  { name: 'a byte in the middle is wrong', rules: weights({ wrongByteAt: half }), requests: 2 },
  { name: 'the last byte is wrong', rules: weights({ wrongByteAt: weightBytes - 1 }) },
  { name: 'a byte before a cut is wrong', rules: weights({ wrongByteAt: 5, cutAfterBytes: half }) },
  { name: 'a byte after a cut is wrong', rules: weights(cut, { wrongByteAt: weightBytes - 5 }) },
  { name: 'wrong twice', rules: weights({ wrongByteAt: 7 }, { wrongByteAt: 9 }), fails: 'corrupt' },
  { name: 'a small file is wrong', rules: resolve('tokenizer.json', { wrongByteAt: 100 }) },
  { name: 'a small file is cut', rules: resolve('tokenizer.json', { cutAfterBytes: 60_000 }) },
  { name: 'ranges are ignored', rules: weights(cut, { ignoreRange: true }), requests: 2 },
  {
    name: 'ranges are ignored, and cut before where it was',
    rules: weights(
      cut,
      { ignoreRange: true, cutAfterBytes: half - 1000 },
      { ignoreRange: true, cutAfterBytes: half + 1000 },
    ),
    requests: 4,
  },
  { name: 'another range', rules: weights(cut, { shiftRange: 1 }) },
  { name: 'a range of another file', rules: weights(cut, { shiftTotal: 1 }) },
  { name: 'part of it unasked', rules: weights({ status: 206 }) },
  { name: 'ranges are refused', rules: weights(cut, { status: 416 }) },
  { name: 'more than the file', rules: weights({ extraBytes: 100 }) },
  { name: 'another length', rules: weights({ headers: { 'content-length': '399999' } }) },
  { name: 'compressed on the way', rules: weights({ headers: { 'content-encoding': 'gzip' } }) },
  { name: 'too many requests for the list', rules: listing({ status: 429, headers: { 'retry-after': '2' } }) },
  {
    name: 'too many requests for a file',
    rules: resolve('config.json', { status: 429, headers: { 'retry-after': '3' } }),
  },
  { name: 'too many requests in the middle', rules: weights(cut, { status: 429 }) },
  { name: 'the hub is in trouble', rules: listing({ status: 500 }, { status: 502 }, { status: 503 }) },
  { name: 'the second host is in trouble', rules: weights(cut, { status: 500 }, { status: 503 }, { status: 504 }) },
  { name: 'a signature that ran out', rules: weights(cut, { status: 403 }) },
  { name: 'half a list', rules: listing({ truncateJson: 300 }) },
  { name: 'no list at all', rules: listing({ truncateJson: 0 }) },
  { name: 'a cut list', rules: listing({ cutAfterBytes: 100 }) },
  {
    name: 'no end of redirects',
    rules: resolve(
      'model.safetensors',
      ...Array<Fault>(6).fill({ redirectTo: `/org/small-model/resolve/${repository.commit}/model.safetensors` }),
    ),
    fails: 'bad_answer',
  },
  {
    name: 'a redirect to no address',
    rules: resolve('model.safetensors', { redirectTo: 'file:///etc/passwd' }),
    fails: 'bad_answer',
  },
  {
    name: 'cut until it is given up',
    rules: weights(cut, ...Array<Fault>(6).fill({ cutAfterBytes: 0 })),
    fails: 'unreachable',
  },
  {
    name: 'in trouble until it is given up',
    rules: weights({ cutAfterBytes: 1234 }, ...Array<Fault>(6).fill({ status: 503 })),
    fails: 'unreachable',
  },
  {
    name: 'too many requests until it is given up',
    rules: listing(...Array<Fault>(4).fill({ status: 429 })),
    fails: 'rate_limited',
  },
  {
    name: 'a part left behind',
    rules: [],
    left: smallModel().files.get('model.safetensors')!.content.subarray(0, 12_345),
  },
  { name: 'garbage left behind', rules: [], left: noise(12_345, 'garbage') },
  { name: 'garbage of the right size left behind', rules: [], left: noise(weightBytes, 'garbage') },
  { name: 'more than the file left behind', rules: [], left: noise(weightBytes + 1, 'garbage') },
];

test('there are more than 30 kinds', () => {
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  expect(cases.length).toBeGreaterThan(30);
});

test.each(cases)(
  '$name: nothing corrupt is seen, and the download goes on where it was',
  async ({ rules, fails, left, requests }) => {
    const folder = tempFolder();
    const starts: { readonly asked: number; readonly onDisk: number }[] = [];
    const hub = await hubOf({ onRequest: (request) => note(request, folder, starts) });
    for (const rule of rules) hub.addFault(rule);
    if (left !== undefined) leaveBehind(folder, left);
    const cache = cacheFor(hub, folder);
    const snapshot = join(repositoryCache(folder, repository.id).snapshots, repository.commit);
    const watch = (): void => {
      expectNothingCorrupt(folder, repository);
      if (findMissingFiles(snapshot) === undefined) expect(filesBelow(snapshot)).toEqual(wantedOfSmallModel);
    };
    const symlink: typeof realSystem.symlink = async (target, path) => {
      watch();
      await realSystem.symlink(target, path);
    };
    const isSilent = rules.some(({ fault }) => fault.hangAfterBytes !== undefined);
    const changes = { symlink, ...(isSilent ? { timeouts: impatient } : {}) };
    if (fails !== undefined) {
      expect(await failure(cache.download({ onProgress: watch }, fastSystem(changes)))).toMatchObject({
        kind: fails,
      });
      expectNothingCorrupt(folder, repository);
      expect(cache.locate()).toBeUndefined();
    }
    await cache.download({ onProgress: watch }, fastSystem(changes));
    expectNothingCorrupt(folder, repository);
    expect(cache.locate()).toMatchObject({ revision: repository.commit });
    expect(starts.length).toBeGreaterThan(0);
    if (requests !== undefined) expect(starts).toHaveLength(requests);
    for (const { asked, onDisk } of starts) expect(asked).toBe(onDisk > weightBytes ? 0 : onDisk);
  },
);

test('what is on disk is not sent again: the answers to a download cut nine times add up to the file', async () => {
  const folder = tempFolder();
  const starts: { readonly asked: number; readonly onDisk: number }[] = [];
  const hub = await hubOf({ onRequest: (request) => note(request, folder, starts) });
  for (const rule of weights(...Array<Fault>(9).fill({ cutAfterBytes: 30_000 }))) hub.addFault(rule);
  await cacheFor(hub, folder).download();
  expect(starts.map(({ asked }) => asked)).toEqual(Array.from({ length: 10 }, (_, count) => count * 30_000));
});

test('waits grow, obey Retry-After, and start small again after progress', async () => {
  const hub = await hubOf();
  for (const rule of [
    ...listing({ status: 503 }, { status: 503 }, { status: 429, headers: { 'retry-after': '9' } }),
    ...weights({ status: 500 }, { status: 500 }, cut, { status: 429, headers: { 'retry-after': '14' } }),
  ])
    hub.addFault(rule);
  const system = fastSystem();
  await cacheFor(hub).download({}, system);
  expect(system.waits).toEqual([1000, 2000, 9000, 1000, 2000, 1000, 14_000]);
});

test('a disk that fills up is said, and the download goes on when there is room', async () => {
  const hub = await hubOf();
  const cache = cacheFor(hub);
  let room = 200_000;
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const system = fastSystem({
    write: async (file, bytes, position) => {
      room -= bytes.length;
      if (room < 0) throw full;
      await realSystem.write(file, bytes, position);
    },
  });
  const error = await failure(cache.download({}, system));
  expect(error).toMatchObject({ kind: 'disk_full', isTransient: false });
  expect(error.message).toMatch(
    /no room in .*models--org--small-model: the disk is full\. Free some, or .* HF_HUB_CACHE/,
  );
  expectNothingCorrupt(cache.folder, repository);
  hub.forgetRequests();
  await cache.download();
  expectNothingCorrupt(cache.folder, repository);
  expect(hub.requests.length).toBeLessThan(wantedOfSmallModel.length + 2);
});

test.each([
  ['below a file', (folder: string) => join(folder, 'file/hub'), /ENOTDIR: a file is where a folder should be/],
  ['which is a file', (folder: string) => join(folder, 'file'), /(ENOTDIR|EEXIST): a file is where a folder should be/],
])('a cache %s is named, with what to do', async (_, cacheIn, reason) => {
  const hub = await hubOf();
  const folder = tempFolder();
  writeFileSync(join(folder, 'file'), '');
  const cache = cacheIn(folder);
  const error = await failure(cacheFor(hub, cache).download());
  expect(error).toMatchObject({ kind: 'not_writable', isTransient: false });
  expect(error.message.startsWith(`${cache}/models--org--small-model cannot be written to (`)).toBe(true);
  expect(error.message).toMatch(reason);
  expect(error.message).toMatch(/Give this user the right to, or choose another folder with HF_HUB_CACHE\.$/);
});

test('a disk that is too small is said before the weights are asked for', async () => {
  const hub = await hubOf();
  const error = await failure(cacheFor(hub).download({}, fastSystem({ freeBytes: async () => 100_000 })));
  expect(error).toMatchObject({ kind: 'disk_full' });
  expect(error.message).toMatch(/: 5\d\d\.\d kB are needed, and 100\.0 kB are free\. Free some/);
  expect(hub.requests.filter(({ path }) => path.includes('safetensors'))).toEqual([]);
});

test('a file system without links gets copies', async () => {
  const hub = await hubOf();
  const cache = cacheFor(hub);
  const noLinks = Object.assign(new Error('EPERM'), { code: 'EPERM' });
  const system = fastSystem({ symlink: () => Promise.reject(noLinks) });
  const model = await cache.download({}, system);
  expectNothingCorrupt(cache.folder, repository);
  expect(cache.locate()).toEqual(model);
  const { ino } = statSync(join(model.folder, 'model.safetensors'));
  await cache.download({}, system);
  expect(statSync(join(model.folder, 'model.safetensors')).ino).toBe(ino); // not copied again
});

test('a part that somebody deletes on the way is fetched anew', async () => {
  const hub = await hubOf();
  const cache = cacheFor(hub);
  const part = join(repositoryCache(cache.folder, repository.id).blobs, `${weightsEtag}.embeddings.incomplete`);
  let isDeleted = false;
  await cache.download({
    onProgress: () => {
      if (isDeleted || partialBytes(cache.folder, repository, 'model.safetensors') < 1) return;
      isDeleted = true;
      rmSync(part);
    },
  });
  expect(isDeleted).toBe(true);
  expectNothingCorrupt(cache.folder, repository);
  expect(cache.locate()).toBeDefined();
});

/** Where a request for the weights begins, and what is on disk at that time. */
function note(
  { host, path, headers }: RecordedRequest,
  folder: string,
  starts: { readonly asked: number; readonly onDisk: number }[],
): void {
  if (host !== 'cdn' || !path.includes(weightsEtag)) return;
  const asked = Number(/^bytes=(\d+)-$/.exec(headers.range ?? 'bytes=0-')?.[1]);
  starts.push({ asked, onDisk: partialBytes(folder, repository, 'model.safetensors') });
}

function leaveBehind(folder: string, bytes: Buffer): void {
  const { blobs } = repositoryCache(folder, repository.id);
  mkdirSync(blobs, { recursive: true });
  writeFileSync(join(blobs, `${weightsEtag}.embeddings.incomplete`), bytes);
}
