import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { blobNameKind, isBlobOfName } from './blob-name.ts';
import { hashFile } from './hash-file.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'embeddings-hash-'))));
afterEach(() => rmSync(folder, { recursive: true }));

test.each([0, 3, 2_500_000])('a file of %d bytes has the hashes that sha256sum and git give it', async (length) => {
  const file = join(folder, 'file');
  writeFileSync(file, 'x'.repeat(length));
  let seen = 0;
  const hashes = await hashFile(file, { withGitBlobId: true, onBytes: (bytes) => (seen += bytes) });
  const run = (command: string, ...args: string[]) => execFileSync(command, [...args, file], { encoding: 'utf8' });
  expect(hashes).toEqual({
    sizeBytes: length,
    sha256: run('sha256sum').slice(0, 64),
    gitBlobId: run('git', 'hash-object').trim(),
    sha1: run('sha1sum').slice(0, 40),
  });
  expect(seen).toBe(length);
  expect([isBlobOfName(hashes.sha256, hashes), isBlobOfName(hashes.gitBlobId ?? '', hashes)]).toEqual([true, true]);
  expect(isBlobOfName(hashes.sha1 ?? '', hashes)).toBe(true); // Artifactory's ETag
  expect([isBlobOfName('0'.repeat(64), hashes), isBlobOfName('0'.repeat(40), hashes)]).toEqual([false, false]);
});

test('an abort ends the reading with its reason', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'x'.repeat(5_000_000));
  const abort = new AbortController();
  const hashing = hashFile(file, { signal: abort.signal, onBytes: () => abort.abort(new Error('enough')) });
  await expect(hashing).rejects.toThrow('enough');
});

test('only full checksums count as names of blobs', () => {
  expect([blobNameKind('a'.repeat(64)), blobNameKind('a'.repeat(40))]).toEqual(['sha256', 'git']);
  expect([blobNameKind('A'.repeat(64)), blobNameKind('W/"x"'), blobNameKind('a'.repeat(41))]).toEqual(
    Array.from({ length: 3 }),
  );
});
