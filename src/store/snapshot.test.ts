import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { commitA, commitB, readTree } from '../../tests/store/fake-hub-cache.ts';
import { repositoryCache } from './hub-cache.ts';
import { writeRef } from './snapshot.ts';

test('a ref is replaced whole, and one that cannot be written leaves nothing that counts as another', async () => {
  const hub = tempFolder();
  const cache = repositoryCache(hub, 'acme/one');
  await writeRef(cache, 'refs/pr/3', commitA);
  await writeRef(cache, 'refs/pr/3', commitB);
  expect(readFileSync(join(cache.refs, 'refs/pr/3'), 'utf8')).toBe(commitB);
  mkdirSync(join(cache.refs, 'main/x'), { recursive: true });
  await expect(writeRef(cache, 'main', commitA)).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
  expect(readTree(hub)).toEqual({ 'models--acme--one/refs/refs/pr/3': commitB });
});
