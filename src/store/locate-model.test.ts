import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderSizeBytes } from './list-files.ts';
import { describePlaces, listPlaces, locateModel } from './locate-model.ts';
import type { LockedModel } from './lock-file.ts';
import { wantedWeights } from './weight-files.ts';

const commit = 'c'.repeat(40);
const weights = 'w'.repeat(2000);
const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n';
const model = { 'config.json': '{}', 'model.safetensors': weights };
let root: string;
let options: { modelsDir: string; hfHubCache: string; bundledDir: string };
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'embeddings-locate-'));
  options = { modelsDir: join(root, 'local'), hfHubCache: join(root, 'hub'), bundledDir: join(root, 'bundled') };
});
afterEach(() => rmSync(root, { recursive: true }));

function put(folder: string, files: Readonly<Record<string, string>>): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** The layout that Python's hub library writes: links in the snapshot, bytes in the blobs. */
function putInCache(
  id: string,
  { revision = 'main', to = commit, files = model as Record<string, string> } = {},
): string {
  const base = join(options.hfHubCache, `models--${id.replace('/', '--')}`);
  put(dirname(join(base, 'refs', revision)), {});
  writeFileSync(join(base, 'refs', revision), to);
  const snapshot = put(join(base, 'snapshots', to), {});
  for (const [name, text] of Object.entries(files)) {
    const blob = join(put(join(base, 'blobs'), { [`${to}${name}`]: text }), `${to}${name}`);
    symlinkSync(relative(snapshot, blob), join(snapshot, name));
  }
  return snapshot;
}

test('the models folder wins over the cache, which wins over the bundled folder', () => {
  expect(locateModel('o/m', options)).toBeUndefined();
  const bundled = put(join(options.bundledDir, 'o/m'), model);
  expect(locateModel('o/m', options)).toEqual({ kind: 'bundled', folder: bundled });
  const cached = putInCache('o/m');
  expect(locateModel('o/m', options)).toEqual({ kind: 'cache', folder: cached, revision: commit });
  const local = put(join(options.modelsDir, 'o/m'), model);
  expect(locateModel('o/m', options)).toEqual({ kind: 'local', folder: local });
  expect(locateModel('o/m', { ...options, modelsDir: undefined })?.kind).toBe('cache');
});

test('a branch, a tag, a pull request and a commit name a snapshot of the cache', () => {
  const other = 'd'.repeat(40);
  const folder = putInCache('o/m', { revision: 'refs/pr/3', to: other });
  expect(locateModel('o/m', { ...options, revision: 'refs/pr/3' })).toMatchObject({ folder, revision: other });
  expect(locateModel('o/m', { ...options, revision: other })).toMatchObject({ folder, revision: other });
  expect(locateModel('o/m', options)).toBeUndefined(); // no main
});

test('the bundled copy does not stand for a revision somebody asks for', () => {
  put(join(options.bundledDir, 'o/m'), model);
  expect(locateModel('o/m', { ...options, revision: 'v2' })).toBeUndefined();
  expect(listPlaces('o/m', { ...options, revision: 'v2' }).at(-1)?.problem).toBe('is not revision v2');
});

test.each([
  ['no config', { 'model.safetensors': weights }, 'config.json is missing'],
  [
    'no weights',
    {
      'config.json': '{}',
      'adapter_model.safetensors': weights,
      'training_args.bin': weights,
      'lora/model.onnx': weights,
    },
    `no weights: looked for ${wantedWeights}`,
  ],
  [
    'a Git LFS pointer for PyTorch weights',
    { 'config.json': '{}', 'pytorch_model.bin': pointer },
    'pytorch_model.bin is a Git LFS pointer (run `git lfs pull` there)',
  ],
  [
    'a missing PyTorch shard',
    { 'config.json': '{}', 'pytorch_model.bin.index.json': JSON.stringify({ weight_map: { a: '1.bin' } }) },
    '1.bin is missing',
  ],
  ['an empty ONNX file', { 'config.json': '{}', 'onnx/model.onnx': '' }, 'onnx/model.onnx is empty'],
  [
    'a Git LFS pointer beside an ONNX file',
    { 'config.json': '{}', 'model.onnx': weights, 'model.onnx_data': pointer },
    'model.onnx_data is a Git LFS pointer (run `git lfs pull` there)',
  ],
  ['empty weights', { ...model, 'model.safetensors': '' }, 'model.safetensors is empty'],
  [
    'a clone without Git LFS',
    { ...model, 'model.safetensors': pointer },
    'model.safetensors is a Git LFS pointer (run `git lfs pull` there)',
  ],
  [
    'a missing shard',
    {
      'config.json': '{}',
      'model.safetensors.index.json': '{"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}',
      '1.safetensors': weights,
    },
    '2.safetensors is missing',
  ],
])('a folder with %s is skipped with the reason', (_, files, problem) => {
  const local = put(join(options.modelsDir, 'o/m'), files as Record<string, string>);
  const bundled = put(join(options.bundledDir, 'o/m'), model);
  expect(locateModel('o/m', options)?.folder).toBe(bundled);
  expect(listPlaces('o/m', options)[0]).toEqual({ kind: 'local', folder: local, problem });
});

test('all shards together are a complete model', () => {
  const index = '{"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}';
  put(join(options.modelsDir, 'o/m'), {
    'config.json': '{}',
    'model.safetensors.index.json': index,
    '1.safetensors': weights,
    '2.safetensors': weights,
  });
  expect(locateModel('o/m', options)?.kind).toBe('local');
});

test.each([
  ['PyTorch weights', { 'pytorch_model.bin': weights }],
  ['an ONNX file in onnx/', { 'onnx/model.onnx': weights }],
  ['an ONNX file', { 'model.onnx': weights, 'model.onnx_data': weights }],
])('a folder with %s alone is a complete model', (_, files) => {
  put(join(options.modelsDir, 'o/m'), { 'config.json': '{}', ...(files as Record<string, string>) });
  expect(locateModel('o/m', options)?.kind).toBe('local');
});

test('a broken link into the blobs counts as a missing file', () => {
  const snapshot = putInCache('o/m');
  rmSync(join(snapshot, 'config.json'));
  symlinkSync('../../blobs/gone', join(snapshot, 'config.json'));
  expect(listPlaces('o/m', options)[1]?.problem).toBe('config.json is missing');
});

test('a ref that holds a path instead of a commit leads nowhere', () => {
  putInCache('o/m');
  put(root, model);
  writeFileSync(join(options.hfHubCache, 'models--o--m/refs/main'), '../../../');
  expect(listPlaces('o/m', options)[1]?.problem).toBe('no commit in refs/main');
});

test('every place tried is described for the error message', () => {
  put(join(options.modelsDir, 'o/m'), { 'config.json': '{}' });
  expect(describePlaces(listPlaces('o/m', options)).replaceAll(root, '')).toBe(
    `/local/o/m (no weights: looked for ${wantedWeights}), /hub/models--o--m (no such folder), /bundled/o/m (no such folder)`,
  );
});

test('whatever id and revision come, every place lies inside its folder or the call throws', () => {
  const evil = fc
    .array(fc.constantFrom('..', '.', '/', '\\', 'a', 'b-', '-', '\0', '~', '%2e'), { maxLength: 8 })
    .map((parts) => parts.join(''));
  const inside = [options.modelsDir, options.hfHubCache, options.bundledDir];
  fc.assert(
    fc.property(evil, fc.option(evil, { nil: undefined }), (id, revision) => {
      try {
        const places = listPlaces(id, { ...options, revision });
        for (const [index, { folder }] of places.entries()) expect(folder.startsWith(`${inside[index]}/`)).toBe(true);
      } catch (error) {
        expect((error as Error).message).toContain('This is a bug.');
      }
    }),
    { numRuns: 2000 },
  );
});

test('the size of a folder counts linked files and leaves out .git', () => {
  const snapshot = putInCache('o/m');
  put(join(snapshot, '.git'), { pack: weights });
  put(join(snapshot, '1_Pooling'), { 'config.json': '1234' });
  expect(folderSizeBytes(snapshot)).toBe(2 + 2000 + 4);
});

const lockedTo = (to: string, files: Readonly<Record<string, number>>): LockedModel => ({
  repository: 'o/m',
  revision: 'main',
  commit: to,
  files: Object.fromEntries(
    Object.entries(files).map(([path, sizeBytes]) => [path, { sizeBytes, sha256: 'a'.repeat(64) }]),
  ),
});

test('a lock decides the commit, whatever the ref says since', () => {
  const old = putInCache('o/m');
  putInCache('o/m', { to: 'd'.repeat(40) });
  const locked = lockedTo(commit, { 'config.json': 2, 'model.safetensors': 2000 });
  expect(locateModel('o/m', options)?.revision).toBe('d'.repeat(40));
  expect(locateModel('o/m', { ...options, locked })).toEqual({ kind: 'cache', folder: old, revision: commit });
});

test('a locked commit that is not in the cache is named as the reason', () => {
  putInCache('o/m');
  const locked = lockedTo('e'.repeat(40), {});
  expect(locateModel('o/m', { ...options, locked })).toBeUndefined();
  expect(listPlaces('o/m', { ...options, locked })[1]?.problem).toBe('no such commit, and the lock file wants it');
});

test('a folder whose files have other sizes than the lock says is skipped with the reason', () => {
  const local = put(join(options.modelsDir, 'o/m'), model);
  const bundled = put(join(options.bundledDir, 'o/m'), { ...model, 'vocab.txt': 'a' });
  const locked = lockedTo(commit, { 'config.json': 2, 'model.safetensors': 2000, 'vocab.txt': 1, 'README.md': 9 });
  expect(locateModel('o/m', { ...options, locked })?.folder).toBe(bundled);
  expect(listPlaces('o/m', { ...options, locked })[0]).toEqual({
    kind: 'local',
    folder: local,
    problem: 'vocab.txt is missing, and the lock file has it',
  });
  put(local, { 'vocab.txt': 'abc' });
  expect(listPlaces('o/m', { ...options, locked })[0]?.problem).toBe('vocab.txt has 3 bytes, and the lock file says 1');
});

test('a folder that would be computed from a file that the lock does not hold is skipped with the reason', () => {
  const local = put(join(options.modelsDir, 'o/m'), { 'config.json': '{}', 'pytorch_model.bin': weights });
  const locked = lockedTo(commit, { 'config.json': 2, 'pytorch_model.bin': 2000 });
  put(local, { 'README.md': 'mine', '.git/config': 'mine', 'other/model.safetensors': weights });
  expect(locateModel('o/m', { ...options, locked })?.folder).toBe(local);
  const problem = (): string | undefined => listPlaces('o/m', { ...options, locked })[0]?.problem;
  put(local, { 'model.safetensors': weights });
  expect(problem()).toBe('model.safetensors would be read, and the lock file does not have it');
  rmSync(join(local, 'model.safetensors'));
  put(local, { 'modules.json': '[{"type":"x.Transformer","path":""},{"type":"x.Dense","path":"2_Dense"}]' });
  put(local, { '2_Dense/model.safetensors': weights });
  expect(problem()).toBe('modules.json would be read, and the lock file does not have it');
  rmSync(join(local, 'modules.json'));
  expect(problem()).toBeUndefined();
  put(local, { [`${'deep/'.repeat(20)}x`]: '' });
  expect(problem()).toMatch(/^Expected at most 16 folders/);
});

test('every shard must be locked, and of the lock only what is read must be there', () => {
  const index = '{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}}';
  const shards = { 'model-1.safetensors': weights, 'model-2.safetensors': weights };
  put(join(options.modelsDir, 'o/m'), { 'config.json': '{}', 'model.safetensors.index.json': index, ...shards });
  const files = { 'config.json': 2, 'model.safetensors.index.json': index.length, 'model-1.safetensors': 2000 };
  const problem = (locked: LockedModel): string | undefined => listPlaces('o/m', { ...options, locked })[0]?.problem;
  expect(problem(lockedTo(commit, files))).toBe(
    'model-2.safetensors would be read, and the lock file does not have it',
  );
  const all = { ...files, 'model-2.safetensors': 2000 };
  expect(problem(lockedTo(commit, { ...all, 'README.md': 5, 'tf_model.h5': 7 }))).toBeUndefined();
  expect(problem(lockedTo(commit, { ...all, 'tokenizer.json': 5 }))).toBe(
    'tokenizer.json is missing, and the lock file has it',
  );
});
