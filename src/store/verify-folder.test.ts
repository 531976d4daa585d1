import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commitA, putFolder, putSnapshot, tinyWeights } from '../../tests/store/fake-hub-cache.ts';
import { readDiskUse } from './disk-use.ts';
import { lockModel } from './lock-model.ts';
import { bytesToVerify, verifyFolder } from './verify-folder.ts';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'embeddings-verify-'))));
afterEach(() => rmSync(root, { recursive: true }));

const lock = (folder: string) => lockModel(folder, { repository: 'acme/one', revision: undefined, commit: commitA });

async function statesOf(folder: string, locked?: Awaited<ReturnType<typeof lock>>) {
  let bytes = 0;
  const wanted = bytesToVerify(folder, locked);
  const report = await verifyFolder({ kind: 'local', folder }, { locked, onBytes: (step) => (bytes += step) });
  expect(bytes).toBe(wanted);
  return { ...Object.fromEntries(report.files.map(({ path, state }) => [path, state])), problem: report.problem };
}

/** The same number of bytes, one of them another. */
const flip = (file: string) => writeFileSync(file, Buffer.from(tinyWeights).fill(0, tinyWeights.length - 1));

test('blobs are checked against their names, large and small ones', async () => {
  const folder = putSnapshot(root);
  const good = { 'config.json': 'ok', 'model.safetensors': 'ok', '1_Pooling/config.json': 'ok', problem: undefined };
  expect(await statesOf(folder)).toEqual(good);
  flip(join(folder, 'model.safetensors'));
  writeFileSync(join(folder, '1_Pooling/config.json'), '[]');
  expect(await statesOf(folder)).toEqual({
    ...good,
    'model.safetensors': 'corrupt',
    '1_Pooling/config.json': 'corrupt',
  });
  rmSync(join(root, 'models--acme--one/blobs'), { recursive: true });
  expect(await statesOf(folder)).toEqual({
    'config.json': 'missing',
    'model.safetensors': 'missing',
    '1_Pooling/config.json': 'missing',
    problem: 'config.json is missing',
  });
});

test('a plain folder is checked against the lock, and without one only for its size', async () => {
  const folder = putFolder(join(root, 'acme/one'));
  const locked = await lock(folder);
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  expect(await statesOf(folder, locked)).toMatchObject({ 'model.safetensors': 'ok', 'notes.txt': 'not checked' });
  expect(await statesOf(folder)).toMatchObject({ 'model.safetensors': 'not checked', problem: undefined });
  flip(join(folder, 'model.safetensors'));
  writeFileSync(join(folder, 'config.json'), '{ }');
  rmSync(join(folder, '1_Pooling'), { recursive: true });
  expect(await statesOf(folder, locked)).toEqual({
    'config.json': 'corrupt',
    'model.safetensors': 'corrupt',
    '1_Pooling/config.json': 'missing',
    'notes.txt': 'not checked',
    problem: undefined,
  });
  truncateSync(join(folder, 'model.safetensors'), tinyWeights.length - 2);
  expect((await statesOf(folder)).problem).toMatch(/It may be a partial download/);
});

test('a file may be called as something that every object has', async () => {
  const folder = putFolder(join(root, 'acme/one'));
  const locked = await lock(folder);
  writeFileSync(join(folder, 'constructor'), 'mine');
  expect(await statesOf(folder, locked)).toMatchObject({ constructor: 'not checked', problem: undefined });
});

test('disk use counts every blob once and shows partial downloads', () => {
  putSnapshot(root);
  const before = readDiskUse(root, 'acme/one');
  putSnapshot(root, { commit: 'b'.repeat(40), refs: [] });
  expect(readDiskUse(root, 'acme/one')).toEqual(before);
  writeFileSync(join(root, 'models--acme--one/blobs/x.incomplete'), 'xxx');
  expect(readDiskUse(root, 'acme/one')).toEqual({ diskBytes: before.diskBytes + 3, partialBytes: 3 });
  expect(readDiskUse(root, 'acme/none')).toEqual({ diskBytes: 0, partialBytes: 0 });
});
