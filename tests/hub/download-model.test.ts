import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryCache } from '../../src/store/hub-cache.ts';
import type { DownloadProgress } from '../../src/store/hub/download-model.ts';
import {
  cacheFor,
  expectNothingCorrupt,
  filesBelow,
  hubOf,
  modelId,
  smallModel,
  wantedOfSmallModel,
} from './hub-fixture.ts';

test('a model arrives in the standard layout, with the files that are needed and no others', async () => {
  const hub = await hubOf();
  const repository = smallModel();
  const cache = cacheFor(hub);
  const model = await cache.download();
  const { blobs, snapshots, refs, root } = repositoryCache(cache.folder, modelId);
  expect(model).toEqual({ kind: 'cache', folder: join(snapshots, repository.commit), revision: repository.commit });
  expect(filesBelow(model.folder)).toEqual(wantedOfSmallModel);
  expect(filesBelow(blobs)).toHaveLength(wantedOfSmallModel.length);
  expect(readlinkSync(join(model.folder, '1_Pooling/config.json'))).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
  expect(lstatSync(join(model.folder, 'model.safetensors')).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(refs, 'main'), 'utf8')).toBe(repository.commit);
  expect(filesBelow(root).filter((path) => path.endsWith('.incomplete'))).toEqual([]);
  expectNothingCorrupt(cache.folder, repository);
  expect(cache.locate()).toEqual(model);
});

test('what is there is not fetched again', async () => {
  const hub = await hubOf();
  const cache = cacheFor(hub);
  await cache.download();
  hub.forgetRequests();
  await cache.download();
  expect(hub.requests.map(({ path }) => path)).toEqual([`/api/models/${modelId}/revision/main?blobs=true`]);
});

test('progress counts every byte once and ends at the total', async () => {
  const hub = await hubOf();
  const cache = cacheFor(hub);
  const seen: DownloadProgress[] = [];
  await cache.download({ onProgress: (progress) => seen.push(progress) });
  const repository = smallModel();
  const totalBytes = wantedOfSmallModel.reduce((sum, path) => sum + repository.files.get(path)!.content.length, 0);
  expect(new Set(seen.map((progress) => progress.totalBytes))).toEqual(new Set([totalBytes]));
  expect(seen.map(({ doneBytes }) => doneBytes)).toEqual(
    seen.map(({ doneBytes }) => doneBytes).toSorted((a, b) => a - b),
  );
  expect(seen.at(-1)?.doneBytes).toBe(totalBytes);
});
