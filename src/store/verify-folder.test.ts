import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commitA, putFolder, putSnapshot, tinyModel, tinyWeights } from '../../tests/store/fake-hub-cache.ts';
import { readDiskUse } from './disk-use.ts';
import { lockModel } from './lock-model.ts';
import { verifyFolder } from './verify-folder.ts';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'embeddings-verify-'))));
afterEach(() => rmSync(root, { recursive: true }));

const lock = (folder: string) => lockModel(folder, { repository: 'acme/one', revision: undefined, commit: commitA });

async function statesOf(folder: string, locked?: Awaited<ReturnType<typeof lock>>) {
  let bytes = 0;
  let wanted = 0;
  const report = await verifyFolder(
    { kind: 'local', folder },
    { locked, onStart: (totalBytes) => (wanted = totalBytes), onBytes: (step) => (bytes += step) },
  );
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
  const folder = putFolder(join(root, 'acme/one'), { ...tinyModel, 'vocab.txt': 'a', 'README.md': 'b' });
  const locked = await lock(folder);
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  expect(await statesOf(folder, locked)).toMatchObject({ 'model.safetensors': 'ok', 'notes.txt': 'not checked' });
  expect(await statesOf(folder)).toMatchObject({ 'model.safetensors': 'not checked', problem: undefined });
  flip(join(folder, 'model.safetensors'));
  writeFileSync(join(folder, 'config.json'), '{ }');
  rmSync(join(folder, 'vocab.txt'));
  rmSync(join(folder, 'README.md')); // nothing reads it
  expect(await statesOf(folder, locked)).toEqual({
    'config.json': 'corrupt',
    'model.safetensors': 'corrupt',
    '1_Pooling/config.json': 'ok',
    'vocab.txt': 'missing',
    'notes.txt': 'not checked',
    problem: undefined,
  });
  truncateSync(join(folder, 'model.safetensors'), tinyWeights.length - 2);
  expect((await statesOf(folder)).problem).toMatch(/It may be a partial download/);
});

test('a file that the engine would read and the lock has not is wrong, another is not', async () => {
  const folder = putFolder(join(root, 'acme/one'), { 'config.json': '{}', 'pytorch_model.bin': 'locked' });
  const locked = await lock(folder);
  putFolder(folder, { 'model.safetensors': tinyWeights, 'tokenizer.json': '{}', 'README.md': 'mine' });
  expect(await statesOf(folder, locked)).toMatchObject({
    'pytorch_model.bin': 'ok',
    'model.safetensors': 'not locked',
    'tokenizer.json': 'not locked',
    'README.md': 'not checked',
    problem: undefined,
  });
});

test('a file that cannot be read is corrupt, and the others are checked all the same; a stop is a stop', async () => {
  const folder = putFolder(join(root, 'acme/one'), { ...tinyModel, 'a.json': '' });
  const locked = await lock(folder);
  rmSync(join(folder, 'a.json'));
  symlinkSync('/proc/self/mem', join(folder, 'a.json')); // a file of no bytes that fails with EIO
  const { files } = await verifyFolder({ kind: 'local', folder }, { locked });
  expect(files[1]).toEqual({
    path: 'a.json',
    state: 'corrupt',
    reason: expect.stringMatching(/^it cannot be read: EIO/),
  });
  expect(files.map(({ state }) => state)).toEqual(['ok', 'corrupt', 'ok', 'ok']);
  const stopped = verifyFolder({ kind: 'local', folder }, { locked, signal: AbortSignal.abort(new Error('stop')) });
  await expect(stopped).rejects.toThrow('stop');
});

test('a folder that cannot be listed says why', async () => {
  const folder = putFolder(join(root, 'acme/one'), { [`${'deep/'.repeat(20)}x`]: '' });
  expect(await statesOf(folder)).toEqual({ problem: expect.stringMatching(/^Expected at most 16 folders in folders/) });
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
