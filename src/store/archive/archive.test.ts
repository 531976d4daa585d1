import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  commitA,
  commitB,
  putFolder,
  putSnapshot,
  readTree,
  tinyModel,
  tinyWeights,
} from '../../../tests/store/fake-hub-cache.ts';
import { readStagedBytes } from '../disk-use.ts';
import { locateModel, type LocatedModel } from '../locate-model.ts';
import { planExport, type ExportSource } from './export-models.ts';
import { importModels } from './import-models.ts';
import { readArchive } from './read-archive.ts';
import { formatManifest, manifestName, type ArchivedModel } from './manifest.ts';
import { Staging } from './staging.ts';
import { writeArchive, type ArchiveItem } from './write-archive.ts';

let root: string;
let hub: string;
let target: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'embeddings-archive-'));
  hub = join(root, 'hub');
  target = join(root, 'target');
});
afterEach(() => rmSync(root, { recursive: true }));

function sourceOf(repository: string, revision?: string): ExportSource {
  const place = locateModel(repository, {
    revision,
    hfHubCache: hub,
    modelsDir: join(root, 'models'),
    bundledDir: join(root, 'none'),
  });
  return { repository, revision, place: place as LocatedModel };
}

async function archiveOf(items: Iterable<ArchiveItem>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeArchive(items)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function exported(...sources: ExportSource[]): Promise<Buffer> {
  return archiveOf((await planExport(sources, {})).items);
}

/** The first value, without asking for more. */
async function first<T>(values: AsyncIterable<T>): Promise<T[]> {
  for await (const value of values) return [value];
  return [];
}

/** In steps of an odd size, so that headers and files are cut anywhere. */
function inSteps(bytes: Uint8Array, stepBytes = 777): Readable {
  const steps: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += stepBytes) steps.push(bytes.subarray(at, at + stepBytes));
  return Readable.from(steps);
}

function take(bytes: Uint8Array, modelsDir?: string) {
  return importModels(inSteps(bytes), { hfHubCache: target, modelsDir });
}

test('a snapshot comes out of an archive as it went in, links and ref too', async () => {
  putSnapshot(hub);
  const archive = await exported(sourceOf('acme/one'));
  const [imported] = await take(archive);
  expect(readTree(target)).toEqual(readTree(hub));
  expect(imported?.folder).toBe(join(target, 'models--acme--one/snapshots', commitA));
  expect(await take(archive)).toHaveLength(1); // again: everything is there
  expect(readTree(target)).toEqual(readTree(hub));
  expect(await exported(sourceOf('acme/one'))).toEqual(archive); // the same bytes at any time
});

test('plain tar unpacks an archive into a cache', async () => {
  putSnapshot(hub, { refs: ['main', 'v1'] });
  putSnapshot(hub, { commit: commitB, refs: [], files: { 'config.json': '{"other":true}' } });
  const archive = await exported(sourceOf('acme/one'));
  const file = join(root, 'models.tar');
  writeFileSync(file, archive);
  execFileSync('mkdir', ['-p', target]);
  execFileSync('tar', ['-xf', file, '-C', target, '--exclude', manifestName]);
  rmSync(hub, { recursive: true });
  putSnapshot(hub); // only the snapshot in use, its blobs and its ref
  expect(readTree(target)).toEqual(readTree(hub));
  expect(execFileSync('tar', ['-tvf', file], { encoding: 'utf8' }).split('\n')[0]).toMatch(
    /^-rw-r--r-- 0\/0 +\d+ 1970-01-01 .* embeddings-manifest\.json$/,
  );
});

test('an archive that GNU tar packed from the same files is taken', async () => {
  putSnapshot(hub);
  const file = join(root, 'models.tar');
  writeFileSync(file, await exported(sourceOf('acme/one')));
  execFileSync('mkdir', ['-p', join(root, 'loose')]);
  execFileSync('tar', ['-xf', file, '-C', join(root, 'loose')]);
  const packed = join(root, 'packed.tar');
  execFileSync('tar', ['-cf', packed, '-C', join(root, 'loose'), `./${manifestName}`, './models--acme--one']);
  await importModels(createReadStream(packed), { hfHubCache: target, modelsDir: undefined });
  expect(readTree(target)).toEqual(readTree(hub));
});

test('two revisions share their blobs, and one without a ref comes without', async () => {
  putSnapshot(hub);
  putSnapshot(hub, { commit: commitB, refs: [], files: { ...tinyModel, 'config.json': '{"b":1}' } });
  await take(await exported(sourceOf('acme/one', commitB), sourceOf('acme/one')));
  expect(readTree(target)).toEqual(readTree(hub));
});

test('plain folders need a models folder and go there; one with other files is left alone', async () => {
  putFolder(join(root, 'models/acme/two'));
  const archive = await exported(sourceOf('acme/two'));
  await expect(take(archive)).rejects.toThrow(
    'acme/two is a plain folder in this archive; say where such folders go with --models-dir (EMBEDDINGS_MODELS_DIR)',
  );
  const modelsDir = join(root, 'new');
  expect((await take(archive, modelsDir))[0]?.folder).toBe(join(modelsDir, 'acme/two'));
  expect(readTree(modelsDir)).toEqual(readTree(join(root, 'models')));
  await take(archive, modelsDir);
  writeFileSync(join(modelsDir, 'acme/two/config.json'), '[]');
  await expect(take(archive, modelsDir)).rejects.toThrow(
    `${join(modelsDir, 'acme/two')} exists and has other files than the archive`,
  );
  expect(readTree(modelsDir)['acme/two/config.json']).toBe('[]');
});

test('an import mends blobs and links that are broken', async () => {
  putSnapshot(hub);
  cpSync(hub, target, { recursive: true, verbatimSymlinks: true });
  const broken = join(target, 'models--acme--one');
  for (const blob of readdirSync(join(broken, 'blobs'))) writeFileSync(join(broken, 'blobs', blob), 'broken');
  rmSync(join(broken, 'snapshots', commitA, 'config.json'));
  await take(await exported(sourceOf('acme/one')));
  expect(readTree(target)).toEqual(readTree(hub));
});

test('a file that changed since its name was made fails the export', async () => {
  const snapshot = putSnapshot(hub);
  const flipped = Buffer.from(tinyWeights);
  flipped[flipped.length - 1] = 0;
  writeFileSync(join(snapshot, 'model.safetensors'), flipped);
  await expect(exported(sourceOf('acme/one'))).rejects.toThrow(/model\.safetensors is corrupt: expected SHA-256/);
  writeFileSync(join(snapshot, 'config.json'), '[]');
  await expect(exported(sourceOf('acme/one'))).rejects.toThrow(/config\.json is corrupt: expected the bytes of/);
});

test('wherever an archive is cut off, nothing of it is left', async () => {
  putSnapshot(hub);
  const archive = await exported(sourceOf('acme/one'));
  for (let length = 0; length < archive.length - 1024; length += 256) {
    await expect(take(archive.subarray(0, length)), `${length} bytes`).rejects.toThrow(/expected/);
    expect(readTree(target)).toEqual({});
  }
});

test('names of 300 bytes and sizes beyond 8 GB are what tar reads', async () => {
  const path = `acme/${'deep/'.repeat(50)}${'n'.repeat(90)}`;
  const sizeBytes = 9 * 2 ** 30;
  const chunks: Uint8Array[] = [];
  const reading = writeArchive([{ path, sizeBytes, read: () => Readable.from([]) }]);
  await expect(
    (async () => {
      for await (const chunk of reading) chunks.push(chunk);
    })(),
  ).rejects.toThrow(`to have ${sizeBytes} bytes, got 0`);
  const file = join(root, 'head.tar');
  writeFileSync(file, Buffer.concat(chunks));
  const listed = execFileSync('sh', ['-c', `tar -tvf ${file} 2>/dev/null || true`], { encoding: 'utf8' });
  expect(listed).toContain(` ${sizeBytes} `);
  expect(listed).toContain(path);
  const [entry] = await first(readArchive(inSteps(Buffer.concat(chunks))));
  expect([entry?.path, entry?.sizeBytes]).toEqual([path, sizeBytes]);
});

test('an archive that ends within a file says so', async () => {
  putSnapshot(hub);
  const archive = await exported(sourceOf('acme/one'));
  await expect(take(archive.subarray(0, 700))).rejects.toThrow('expected a whole archive, got only its beginning');
});

test('on a file system without links an import copies, as a download does', async () => {
  putSnapshot(hub);
  const symlink = () => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' }));
  await importModels(inSteps(await exported(sourceOf('acme/one'))), {
    hfHubCache: target,
    modelsDir: undefined,
    symlink,
  });
  const snapshot = `models--acme--one/snapshots/${commitA}`;
  const tree = readTree(target);
  for (const [path, content] of Object.entries(tinyModel))
    expect(tree[`${snapshot}/${path}`]).toBe(Buffer.from(content).toString('latin1'));
  expect(tree['models--acme--one/refs/main']).toBe(commitA);
});

test('two revisions of one commit are imported at once, and added to one that is there', async () => {
  putSnapshot(hub, { refs: ['main', 'v1'] });
  const archive = await exported(sourceOf('acme/one'), sourceOf('acme/one', 'v1'));
  await take(archive);
  expect(readTree(target)).toEqual(readTree(hub));
  rmSync(join(target, 'models--acme--one/snapshots', commitA, 'config.json'));
  await take(archive);
  expect(readTree(target)).toEqual(readTree(hub));
});

test('what stands in the way is said before anything is placed', async () => {
  putSnapshot(hub);
  const archive = await exported(sourceOf('acme/one'));
  mkdirSync(join(target, 'models--acme--one/refs/main'), { recursive: true });
  await expect(take(archive)).rejects.toThrow(
    `expected a file or nothing at ${join(target, 'models--acme--one/refs/main')}, got a folder; remove it`,
  );
  expect(readTree(target)).toEqual({});
  rmSync(target, { recursive: true });
  mkdirSync(target);
  writeFileSync(join(target, 'models--acme--one'), 'mine');
  await expect(take(archive)).rejects.toThrow(
    `expected a folder or nothing at ${join(target, 'models--acme--one')}, got a file; remove it`,
  );
  expect(readTree(target)).toEqual({ 'models--acme--one': 'mine' });
});

test('what a killed import left goes with the next one; that of a running one stays', async () => {
  putSnapshot(hub);
  const staged = new Staging().pathIn(target, 'x');
  writeFileSync(staged, 'half');
  const dead = spawnSync('true').pid;
  const left = basename(dirname(staged)).replace(`-${process.pid}-`, `-${dead}-`);
  renameSync(dirname(staged), join(target, left));
  expect(readStagedBytes(target)).toBe(4);
  const running = left.replace(`-${dead}-`, `-${process.ppid}-`);
  const elsewhere = left.replace(encodeURIComponent(hostname()), 'another-machine');
  for (const name of [running, elsewhere]) mkdirSync(join(target, name));
  await take(await exported(sourceOf('acme/one')));
  expect(readdirSync(target).toSorted()).toEqual([running, elsewhere, 'models--acme--one'].toSorted());
});

const text = 'bytes';
const sha256 = createHash('sha256').update(text).digest('hex');
const hostile: ArchivedModel = {
  kind: 'cache',
  repository: 'acme/one',
  revision: 'main',
  commit: commitA,
  files: { 'config.json': { sizeBytes: text.length, sha256, blob: sha256 } },
};
const blobPath = `models--acme--one/blobs/${sha256}`;
const linkPath = `models--acme--one/snapshots/${commitA}/config.json`;
const file = (path: string, content = text): ArchiveItem => ({
  path,
  sizeBytes: Buffer.byteLength(content),
  read: () => Readable.from([Buffer.from(content)]),
});
const manifest = (models: unknown = hostile): ArchiveItem =>
  file(manifestName, formatManifest({ models: [models].flat() as ArchivedModel[] }));
const link: ArchiveItem = { path: linkPath, target: `../../blobs/${sha256}` };
const ref = file('models--acme--one/refs/main', commitA);
const whole = [manifest(), file(blobPath), link, ref];

test('an archive made by hand from the manifest is taken', async () => {
  await take(await archiveOf(whole));
  expect(readFileSync(join(target, linkPath), 'utf8')).toBe(text);
});

test.each<[string, ArchiveItem[], RegExp]>([
  ['no manifest', [file(blobPath), link, ref], /expected embeddings-manifest\.json as the first file/],
  ['a manifest that is no JSON', [file(manifestName, 'x')], /^embeddings-manifest\.json: Unexpected token/],
  [
    'a file beyond the manifest',
    [...whole, file('models--acme--one/blobs/more')],
    /expected only files of the manifest, got "models--acme--one\/blobs\/more"/,
  ],
  [
    'a path that leaves the folder',
    [manifest(), file('../../evil')],
    /expected only files of the manifest, got "\.\.\/\.\.\/evil"/,
  ],
  ['an absolute path', [manifest(), file('/tmp/evil')], /expected only files of the manifest, got "\/tmp\/evil"/],
  ['a file twice', [...whole, file(blobPath)], /once, got it again/],
  ['a file too few', [manifest(), link, ref], /expected 1 more files, such as models--acme--one\/blobs/],
  [
    'a link that points elsewhere',
    [manifest(), file(blobPath), { path: linkPath, target: '/etc/passwd' }, ref],
    /expected \.\.\/\.\.\/blobs\/[0-9a-f]{64} in .*, got "\/etc\/passwd"/,
  ],
  [
    'a link where bytes belong',
    [manifest(), { path: blobPath, target: '/etc/passwd' }, link, ref],
    /expected a file at .*, got a SymbolicLink/,
  ],
  [
    'bytes where a link belongs',
    [manifest(), file(blobPath), file(linkPath), ref],
    /expected a symbolic link at .*, got a File/,
  ],
  ['other bytes', [manifest(), file(blobPath, 'bytez'), link, ref], /is corrupt: expected SHA-256/],
  ['another size', [manifest(), file(blobPath, 'bytes and more'), link, ref], /expected 5 bytes of .*, got 14/],
  [
    'another commit in the ref',
    [manifest(), file(blobPath), link, file('models--acme--one/refs/main', commitB)],
    /expected a{40} in .*refs\/main, got "b{40}"/,
  ],
  [
    'a blob under a name that is not its checksum',
    [
      manifest({ ...hostile, files: { 'config.json': { sizeBytes: 5, sha256, blob: 'c'.repeat(40) } } }),
      file(`models--acme--one/blobs/${'c'.repeat(40)}`),
    ],
    /is corrupt/,
  ],
  [
    'a huge size',
    [manifest({ ...hostile, files: { 'config.json': { sizeBytes: 2 ** 52, sha256, blob: sha256 } } })],
    /There is no room in .*: 4503599\.6 GB are needed/,
  ],
  [
    'a repository that is a path',
    [manifest({ ...hostile, repository: '../up' })],
    /models\[0\]\.repository: expected a Hugging Face id/,
  ],
  ['a revision that is a path', [manifest({ ...hostile, revision: '../../x' })], /models\[0\]\.revision: expected/],
  [
    'a file that is a path',
    [manifest({ ...hostile, files: { '../../../x': { sizeBytes: 5, sha256, blob: sha256 } } })],
    /expected a path inside the repository/,
  ],
  [
    'a file that is a folder of another',
    [manifest({ ...hostile, files: { a: hostile.files['config.json'], 'a/b': hostile.files['config.json'] } })],
    /models: expected a folder or a file at .*\/a, got both/,
  ],
  [
    'a ref that is a folder of another',
    [manifest([hostile, { ...hostile, revision: 'main/x' }])],
    /models: expected a folder or a file at .*refs\/main, got both/,
  ],
  [
    'a model that is a folder of another, the longer name first',
    [
      manifest([
        { kind: 'folder', repository: 'acme/one', files: { a: { sizeBytes: 5, sha256 } } },
        { kind: 'folder', repository: 'acme', files: { one: { sizeBytes: 5, sha256 } } },
      ]),
    ],
    /models: expected a folder or a file at acme\/one, got both/,
  ],
  [
    'a blob that is a path',
    [manifest({ ...hostile, files: { x: { sizeBytes: 5, sha256, blob: '../x' } } })],
    /\.blob: expected a SHA-256 or git id/,
  ],
])('an archive with %s is refused and leaves nothing', async (_, items, message) => {
  await expect(take(await archiveOf(items))).rejects.toThrow(message);
  expect(readTree(root)).toEqual({});
});

test('bytes that are no archive are refused', async () => {
  await expect(take(Buffer.alloc(5000, 'x'))).rejects.toThrow('expected a tar file as `embeddings export` writes it');
});
