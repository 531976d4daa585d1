import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { repositoryCache } from '../../src/store/hub-cache.ts';
import type { DownloadProgress } from '../../src/store/hub/download-model.ts';
import { locateModel } from '../../src/store/locate-model.ts';
import type { LockedFile } from '../../src/store/lock-file.ts';
import { type FakeRepository, fakeRepository, repositoryFromFolder } from './fake-repository.ts';
import {
  cacheFor,
  expectNothingCorrupt,
  failure,
  fastSystem,
  filesBelow,
  hubOf,
  modelId,
  noise,
  partialBytes,
  smallModel,
  wantedOfSmallModel,
  weightBytes,
  etagOf,
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

test('a commit gets no ref, a pull request one in folders', async () => {
  const repository = smallModel({ refs: ['main', 'refs/pr/3'] });
  const hub = await hubOf({ repositories: [repository] });
  const cache = cacheFor(hub);
  const { refs } = repositoryCache(cache.folder, modelId);
  const model = await cache.download({ revision: repository.commit });
  expect(filesBelow(refs)).toEqual([]);
  expect(cache.locate(repository.commit)).toEqual(model);
  expect(cache.locate()).toBeUndefined();
  await cache.download({ revision: 'refs/pr/3' });
  expect(filesBelow(refs)).toEqual(['refs/pr/3']);
  expect(hub.requests.at(-1)?.path).toContain('/revision/refs%2Fpr%2F3?');
  expect(cache.locate('refs/pr/3')).toEqual(model);
});

test('a mirror whose list holds only names is asked for each file', async () => {
  const repository = smallModel({ listing: 'names' });
  const hub = await hubOf({ repositories: [repository] });
  const cache = cacheFor(hub);
  await cache.download();
  expectNothingCorrupt(cache.folder, repository);
  expect(hub.requests.filter(({ method }) => method === 'HEAD').length).toBeGreaterThan(0);
  expect(hub.requests.filter(({ method, host }) => method === 'HEAD' && host === 'cdn')).toEqual([]);
});

test('a mirror that knows no HEAD is asked for the headers by GET', async () => {
  const repository = smallModel({ listing: 'names' });
  const hub = await hubOf({ repositories: [repository] });
  hub.addFault({ method: 'HEAD', fault: { status: 405 }, times: 99 });
  const cache = cacheFor(hub);
  await cache.download();
  expectNothingCorrupt(cache.folder, repository);
});

test('an abort ends a download when its files are closed and its locks released, and the next goes on at once', async () => {
  const hub = await hubOf();
  hub.addFault({ host: 'cdn', fault: { slow: { pieceBytes: 20_000, pauseMs: 5 } }, times: 9 });
  const cache = cacheFor(hub);
  const leave = new AbortController();
  const stopped = cache.download({
    signal: leave.signal,
    onProgress: ({ doneBytes }) => {
      if (doneBytes > 200_000) leave.abort(new Error('left'));
    },
  });
  expect((await failure(stopped)).message).toBe('left');
  expect(openFiles().filter((file) => file.startsWith(cache.folder))).toEqual([]);
  expect(cache.locate()).toBeUndefined();
  expectNothingCorrupt(cache.folder, smallModel());
  await cache.download();
  expectNothingCorrupt(cache.folder, smallModel());
});

test('an abort is not held up by the hash of a large file', async () => {
  const hub = await hubOf();
  const cache = cacheFor(hub);
  const leave = new AbortController();
  let hashed = false;
  const stopped = cache.download({
    signal: leave.signal,
    onProgress: ({ doneBytes, totalBytes }) => {
      if (doneBytes < totalBytes) return;
      hashed = true; // every byte is there, and its hash comes next
      leave.abort(new Error('left'));
    },
  });
  expect((await failure(stopped)).message).toBe('left');
  expect([hashed, cache.locate()]).toEqual([true, undefined]);
  expect(partialBytes(cache.folder, smallModel(), 'model.safetensors')).toBe(weightBytes);
  await cache.download();
  expectNothingCorrupt(cache.folder, smallModel());
});

test.each([
  ['config.json', { 'config.json': '{}', 'model.safetensors': 'x' }],
  ['modules.json', { 'config.json': '{}', 'modules.json': '[]', 'model.safetensors': 'x' }],
  [
    'model.safetensors.index.json',
    { 'config.json': '{}', 'model.safetensors.index.json': '{}', 'model-1.safetensors': 'x' },
  ],
])('a %s of more than 64 MB is refused by its size in the list, before it is fetched', async (path, files) => {
  const listedSizes = { [path]: 64.1e6 };
  const hub = await hubOf({
    repositories: [fakeRepository(modelId, files as Record<string, string>, { listedSizes })],
  });
  const error = await failure(cacheFor(hub).download());
  expect(error).toMatchObject({ kind: 'bad_answer', isTransient: false });
  expect(error.message).toContain(`its ${path} has 64.1 MB, and at most 64.0 MB are read`);
  expect(hub.requests.filter((request) => request.path.endsWith(path))).toEqual([]);
});

test('a snapshot with weights of another format is completed with all but other weights', async () => {
  const repository = smallModel();
  const hub = await hubOf();
  const cache = cacheFor(hub);
  const { blobs, snapshots } = repositoryCache(cache.folder, modelId);
  const folder = join(snapshots, repository.commit);
  mkdirSync(folder, { recursive: true });
  mkdirSync(blobs, { recursive: true });
  const here = ['config.json', 'pytorch_model.bin', 'tokenizer_config.json'];
  for (const path of here) {
    const { etag, content } = repository.files.get(path)!;
    writeFileSync(join(blobs, etag), content);
    symlinkSync(join('../../blobs', etag), join(folder, path));
  }
  await cache.download({ revision: repository.commit });
  const completed = wantedOfSmallModel.filter((path) => path !== 'model.safetensors');
  expect(filesBelow(folder)).toEqual([...new Set([...completed, ...here])].toSorted());
  const fetched = hub.requests.flatMap(({ host, path }) =>
    host === 'hub' ? path.split(repository.commit + '/').slice(1) : [],
  );
  expect(fetched.toSorted()).toEqual(completed.filter((path) => !here.includes(path)));
});

test('shards, and the data beside an ONNX graph, come whole', async () => {
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
  const index = JSON.stringify({ weight_map: { a: shards[0], b: shards[1] } });
  const files = { 'config.json': '{}', 'model.safetensors.index.json': index, [shards[0]]: 'one', [shards[1]]: 'two' };
  const onnx = {
    'config.json': '{}',
    'onnx/model.onnx': 'graph',
    'onnx/model.onnx_data': 'data',
    'onnx/model_O4.onnx': 'x',
  };
  const hub = await hubOf({ repositories: [fakeRepository('org/shards', files), fakeRepository('org/onnx', onnx)] });
  const cache = cacheFor(hub);
  const sharded = await cache.download({}, fastSystem(), 'org/shards');
  expect(filesBelow(sharded.folder)).toEqual(Object.keys(files).toSorted());
  const graph = await cache.download({}, fastSystem(), 'org/onnx');
  expect(filesBelow(graph.folder)).toEqual(['config.json', 'onnx/model.onnx', 'onnx/model.onnx_data']);
});

test('files of the same contents are one blob', async () => {
  const files = {
    'config.json': '{}',
    'tokenizer_config.json': '{}',
    'added_tokens.json': '',
    'model.safetensors': 'w',
  };
  const repository = fakeRepository(modelId, files);
  const hub = await hubOf({ repositories: [repository] });
  const cache = cacheFor(hub);
  const model = await cache.download();
  expect(filesBelow(model.folder)).toEqual(Object.keys(files).toSorted());
  expect(filesBelow(repositoryCache(cache.folder, modelId).blobs)).toHaveLength(3);
  expectNothingCorrupt(cache.folder, repository);
});

test.each([
  [{ 'README.md': 'x' }, /org\/small-model is not a model that can be computed here: it has no config\.json/],
  [{ 'config.json': '{}', 'model.gguf': 'x' }, /it has no weights; looked for model\.safetensors, pytorch_model\.bin/],
  [
    { 'modules.json': '[{"type": "x.CLIPModel", "path": "0_CLIP"}]', 'model.safetensors': 'x' },
    /no 0_CLIP\/config\.json/,
  ],
  [
    { 'modules.json': '[{"type": "x.Y", "path": "../.."}]', 'model.safetensors': 'x' },
    /Expected a "path" below the folder/,
  ],
  [
    { 'config.json': '{}', 'model.safetensors.index.json': '{"weight_map": {"a": "b.safetensors"}}' },
    /it has no b\.safetensors, which model\.safetensors\.index\.json names/,
  ],
  [
    { 'config.json': '{}', 'model.safetensors.index.json': '{"weight_map": {"a": "../b.safetensors"}}' },
    /it has a broken model\.safetensors\.index\.json: .*plain names/,
  ],
])(
  'a repository that is no model we compute says what is missing, before its weights are fetched: %j',
  async (files, message) => {
    const hub = await hubOf({ repositories: [fakeRepository(modelId, files as Record<string, string>)] });
    const error = await failure(cacheFor(hub).download());
    expect(error).toMatchObject({ kind: 'bad_answer', isTransient: false });
    expect(error.message).toMatch(message);
    expect(hub.requests.filter(({ host }) => host === 'cdn')).toEqual([]);
  },
);

test('a locked model is fetched at its commit and held to its files', async () => {
  const repository = smallModel({ refs: [] }); // the branch has moved on since
  const hub = await hubOf({ repositories: [repository] });
  const files = Object.fromEntries(
    ['config.json', 'model.safetensors', 'tokenizer.json'].map((path) => [path, lockedFile(repository, path)]),
  );
  const locked = { repository: modelId, revision: 'main', commit: repository.commit, files };
  const cache = cacheFor(hub);
  const model = await cache.download({ locked });
  expect(filesBelow(model.folder)).toEqual(Object.keys(files));
  expect(cache.locate()).toEqual(model);

  for (const path of ['model.safetensors', 'config.json']) {
    const other = { ...lockedFile(repository, path), sha256: 'f'.repeat(64) };
    const error = await failure(cacheFor(hub).download({ locked: { ...locked, files: { ...files, [path]: other } } }));
    expect(error).toMatchObject({ kind: 'locked_mismatch', isTransient: false });
    expect(error.message).toContain(`${path} is another file`);
  }
});

test('a snapshot with files that would be read and are not locked is refused', async () => {
  const repository = smallModel();
  const hub = await hubOf();
  const cache = cacheFor(hub);
  const wanted = ['config.json', 'pytorch_model.bin', 'README.md']; // Python locks it, and nothing reads it
  const files = Object.fromEntries(wanted.map((path) => [path, lockedFile(repository, path)]));
  const locked = { repository: modelId, revision: 'main', commit: repository.commit, files };
  const { folder } = await cache.download({ locked });
  const locate = () => locateModel(modelId, { locked, hfHubCache: cache.folder, bundledDir: '/nowhere' });
  expect(locate()?.folder).toBe(folder);
  writeFileSync(join(folder, 'model.safetensors'), noise(weightBytes, 'somebody else'));
  expect(locate()).toBeUndefined();
  const error = await failure(cache.download({ locked }));
  expect(error).toMatchObject({ kind: 'locked_mismatch', isTransient: false });
  expect(error.message).toContain(
    `model.safetensors would be read, and the lock file does not have it, in ${folder}. Remove it with \`embeddings rm ${modelId}\``,
  );
});

test('a blob that others left in the cache is not trusted against a lock file', async () => {
  const repository = smallModel();
  const hub = await hubOf();
  const cache = cacheFor(hub);
  const etag = etagOf(repository, 'model.safetensors');
  const { blobs } = repositoryCache(cache.folder, modelId);
  mkdirSync(blobs, { recursive: true });
  writeFileSync(join(blobs, etag), noise(weightBytes, 'somebody else'));
  const files = Object.fromEntries(wantedOfSmallModel.map((path) => [path, lockedFile(repository, path)]));
  await cache.download({ locked: { repository: modelId, revision: 'main', commit: repository.commit, files } });
  expectNothingCorrupt(cache.folder, repository);
});

test('the bundled model arrives from its folder as it is', async () => {
  const id = 'sentence-transformers/all-MiniLM-L6-v2';
  const folder = fileURLToPath(new URL(`../../models/${id}`, import.meta.url));
  const repository = repositoryFromFolder(id, folder);
  const hub = await hubOf({ repositories: [repository] });
  const cache = cacheFor(hub);
  const model = await cache.download({}, fastSystem(), id);
  expectNothingCorrupt(cache.folder, repository);
  const wanted = filesBelow(folder).filter((path) => !/^(LICENSE|README\.md|NOTICE.*)$/.test(path));
  expect(filesBelow(model.folder)).toEqual(wanted);
});

function lockedFile(repository: FakeRepository, path: string): LockedFile {
  const content = repository.files.get(path)?.content ?? Buffer.alloc(0);
  return { sizeBytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

/** Of this process. */
function openFiles(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // the listing itself
    }
  });
}
