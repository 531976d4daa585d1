import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  findLocked,
  formatLockFile,
  lockFilePath,
  parseLockFile,
  readLockFile,
  withLocked,
  writeLockFile,
  type LockedModel,
} from './lock-file.ts';

const sha256 = 'a'.repeat(64);
const model: LockedModel = {
  repository: 'acme/one',
  revision: 'main',
  commit: 'c'.repeat(40),
  files: { 'config.json': { sizeBytes: 2, sha256 } },
};
let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'embeddings-lock-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'.split('')), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''));
const paths = fc.constantFrom('config.json', '1_Pooling/config.json', 'a b.bin', '__proto__', 'onnx/model.onnx', 'ü');
const file = fc.record({ sizeBytes: fc.maxSafeNat(), sha256: hex(64) });
const models = fc.record({
  repository: fc.constantFrom('acme/one', 'acme/two', 'gpt2'),
  revision: fc.constantFrom('main', 'v1.0', 'refs/pr/3'),
  commit: hex(40),
  files: fc.array(fc.tuple(paths, file), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
});
const locks = fc
  .uniqueArray(models, { selector: ({ repository, revision }) => `${repository} ${revision}`, maxLength: 5 })
  .map((list) => ({ models: list as readonly LockedModel[] }));

test('what is written is read again, and the order of models changes no byte', () => {
  fc.assert(
    fc.property(locks, (lock) => {
      const text = formatLockFile(lock);
      expect(formatLockFile(parseLockFile(text))).toBe(text);
      expect(formatLockFile({ models: lock.models.toReversed() })).toBe(text);
      expect(new Set(parseLockFile(text).models)).toEqual(new Set(lock.models));
    }),
  );
});

test('the file is replaced in one step and read by repository and revision', () => {
  const path = join(folder, 'below', 'models.lock');
  expect(readLockFile(path)).toBeUndefined();
  writeLockFile(path, withLocked(undefined, model));
  const newer = { ...model, commit: 'd'.repeat(40) };
  const tagged = { ...model, revision: 'v2' };
  writeLockFile(path, withLocked(withLocked(readLockFile(path), newer), tagged));
  expect(readdirSync(join(folder, 'below'))).toEqual(['models.lock']);
  expect(readFileSync(path, 'utf8')).toMatch(/^\{\n {2}"version": 1,\n[^]*\n\}\n$/);
  const lock = readLockFile(path);
  expect(findLocked(lock, 'acme/one', undefined)).toEqual(newer);
  expect(findLocked(lock, 'acme/one', 'v2')).toEqual(tagged);
  expect(findLocked(lock, 'acme/one', 'v3')).toBeUndefined();
  expect(findLocked(undefined, 'acme/one', undefined)).toBeUndefined();
});

test.each([
  [{ version: 2, models: [] }, 'version: expected 1, got 2'],
  [{ models: [] }, 'the file: expected the key version, got none'],
  [{ version: 1, models: {} }, 'models: expected a list, got {}'],
  [{ version: 1, models: [], more: 1 }, 'the file: expected only the keys version, models, got "more"'],
  [{ version: 1, models: [model, model] }, 'models[1]: expected a model once, got acme/one main again'],
  [
    { version: 1, models: [{ ...model, repository: '../up' }] },
    'models[0].repository: expected a Hugging Face id, got "../up"',
  ],
  [
    { version: 1, models: [{ ...model, commit: 'main' }] },
    'models[0].commit: expected a commit of 40 hexadecimal digits, got "main"',
  ],
  [
    { version: 1, models: [{ ...model, files: { '../x': { sizeBytes: 1, sha256 } } }] },
    'models[0].files["../x"]: expected a path inside the repository, got another',
  ],
  [
    { version: 1, models: [{ ...model, files: { x: { sizeBytes: -1, sha256 } } }] },
    'models[0].files["x"].sizeBytes: expected a number of bytes, got -1',
  ],
  [
    { version: 1, models: [{ ...model, files: { x: { sizeBytes: 1, sha256: 'A' } } }] },
    'models[0].files["x"].sha256: expected 64 hexadecimal digits, got "A"',
  ],
])('a wrong file names the place: %#', (json, message) => {
  const path = join(folder, 'models.lock');
  writeFileSync(path, JSON.stringify(json));
  expect(() => readLockFile(path)).toThrow(
    `${path}: expected a readable lock file (EMBEDDINGS_LOCK_FILE): ${message}; mend it, or delete it and run \`embeddings pull --lock\``,
  );
});

test('the lock lies beside the allowlist unless set', () => {
  expect(lockFilePath({ lockFile: undefined, supportedModels: '/a/models.txt' })).toBe('/a/models.lock');
  expect(lockFilePath({ lockFile: undefined, supportedModels: '/a/models' })).toBe('/a/models.lock');
  expect(lockFilePath({ lockFile: '/b.json', supportedModels: '/a/models.txt' })).toBe('/b.json');
});
