import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HubError } from './hub-error.ts';
import { isRepositoryFile } from '../repository-id.ts';
import { parseListing } from './repository-listing.ts';

const sha = 'a'.repeat(40);
const sha256 = 'b'.repeat(64);

function parse(...siblings: readonly unknown[]): unknown {
  return parseListing({ sha, siblings }, 'hub').files;
}

test('a file is named by its git object id, a large one by its SHA-256, never by the id of its pointer', () => {
  expect(parse({ rfilename: 'a/config.json', size: 3, blobId: sha })).toEqual([
    { path: 'a/config.json', sizeBytes: 3, etag: sha },
  ]);
  const large = { rfilename: 'model.bin', size: 134, blobId: sha, lfs: { sha256, size: 5, pointerSize: 134 } };
  expect(parse(large)).toEqual([{ path: 'model.bin', sizeBytes: 5, etag: sha256 }]);
  expect(parse({ ...large, lfs: {} })).toEqual([{ path: 'model.bin', sizeBytes: 134, etag: undefined }]);
});

test('what a mirror leaves out is left to be asked for', () => {
  expect(parse({ rfilename: 'x' }, { rfilename: 'y', size: null, blobId: null })).toEqual([
    { path: 'x', sizeBytes: undefined, etag: undefined },
    { path: 'y', sizeBytes: undefined, etag: undefined },
  ]);
  expect(parse({ rfilename: 'x', blobId: '../../etc/passwd' })).toEqual([
    { path: 'x', sizeBytes: undefined, etag: undefined },
  ]);
});

test.each([
  '../x',
  'a/../../x',
  '/etc/passwd',
  'a//b',
  'a\\b',
  'a\0b',
  '.',
  '',
  'a/',
  'a\nb',
  'x'.repeat(256),
  7,
  null,
])('the path %j is left out', (rfilename) => {
  expect(parse({ rfilename, size: 1, blobId: sha })).toEqual([]);
});

test('a path that is let in stays below the folder', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('..', '.', '', 'a', '/', '\\', '..a', 'a..')), (parts) => {
      const path = parts.join('/');
      if (isRepositoryFile(path)) expect(new URL(path, 'file:///root/folder/').pathname).toBe(`/root/folder/${path}`);
    }),
  );
});

test.each([
  null,
  [],
  'text',
  {},
  { sha, siblings: 'x' },
  { sha: 'main', siblings: [] },
  { sha: `${sha}/../x`, siblings: [] },
  { sha, siblings: [{ rfilename: 'x', size: -1 }] },
  { sha, siblings: [{ rfilename: 'x', size: 1.5 }] },
  { sha, siblings: [{ rfilename: 'x', size: '5' }] },
  { sha, siblings: [{ rfilename: 'x', size: 2 ** 60 }] },
])('%j is refused', (json) => {
  expect(() => parseListing(json, 'hub')).toThrow(HubError);
});
