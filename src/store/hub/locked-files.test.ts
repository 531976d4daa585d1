import { expect, test } from 'vitest';
import { checkLocked, keepLocked } from './locked-files.ts';

const commit = 'c'.repeat(40);
const sha256 = 'b'.repeat(64);
const locked = {
  repository: 'org/name',
  revision: 'main',
  commit,
  files: { 'model.safetensors': { sizeBytes: 5, sha256 } },
};
const file = { path: 'model.safetensors', sizeBytes: 5, etag: sha256 };

test('only files of the lock are left', () => {
  const listing = { commit, files: [file, { ...file, path: 'new.json' }] };
  expect(keepLocked(listing, locked)).toEqual({ commit, files: [file] });
  expect(keepLocked(listing, undefined)).toBe(listing);
});

test('another commit, and a file that is gone, are refused', () => {
  expect(() => keepLocked({ commit: 'd'.repeat(40), files: [file] }, locked)).toThrow(/answered with commit d+ for c+/);
  expect(() => keepLocked({ commit, files: [] }, locked)).toThrow(/has no file model\.safetensors/);
});

test('another size or hash is refused before it is fetched', () => {
  checkLocked(file, locked);
  checkLocked({ ...file, path: 'constructor' }, locked); // none of the lock's
  checkLocked({ ...file, etag: 'a'.repeat(40) }, locked); // of a small file only the contents can tell
  expect(() => checkLocked({ ...file, sizeBytes: 6 }, locked)).toThrow(
    /model\.safetensors is another file.*`embeddings pull --lock`/,
  );
  expect(() => checkLocked({ ...file, etag: 'a'.repeat(64) }, locked)).toThrow(/is another file/);
});
