import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Download } from '../../src/cli/context.ts';
import { HubError } from '../../src/store/hub/hub-error.ts';
import { withResolvers } from '../../src/util/with-resolvers.ts';
import { commitA, commitB, putFolder, putSnapshot, readTree, tinyModel, tinyWeights } from '../store/fake-hub-cache.ts';
import { cli, startCli, type FakeOptions } from './fake-context.ts';

let root: string;
let hub: string;
let env: Record<string, string>;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'embeddings-store-'));
  hub = join(root, 'hub');
  const supportedModels = join(root, 'models.txt');
  writeFileSync(supportedModels, 'acme/one\nacme/two alias=two revision=v2\n');
  env = { EMBEDDINGS_SUPPORTED_MODELS: supportedModels, HF_HUB_CACHE: hub };
});
afterEach(() => rmSync(root, { recursive: true }));

const run = (argv: readonly string[], options: FakeOptions = {}) =>
  cli(argv, { ...options, env: { ...env, ...options.env } });
const json = (text: string): unknown => JSON.parse(text);
const flipped = Buffer.from(tinyWeights).fill(0, tinyWeights.length - 1);

/** A hub of three models, which writes into the cache as the real download does. */
const download: Download = async (repository, { revision = 'main', hfHubCache, locked, onProgress, signal }) => {
  signal?.throwIfAborted();
  if (repository === 'acme/broken') throw new Error('the hub has no such model');
  const isCommit = [commitA, commitB].includes(revision);
  const commit = locked?.commit ?? (isCommit ? revision : commitB);
  onProgress?.({ doneBytes: 1, totalBytes: 2 });
  const at = join(hfHubCache, `models--${repository.replace('/', '--')}/snapshots`, commit);
  const missing = Object.entries(tinyModel).filter(([path]) => !existsSync(join(at, path)));
  const files = Object.fromEntries(missing);
  const folder = putSnapshot(hfHubCache, { repository, commit, refs: isCommit ? [] : [revision], files });
  return { kind: 'cache', folder, revision: commit };
};

test('pull downloads what is not here, goes on after a failure and exits 1', async () => {
  putSnapshot(hub);
  const { stdout, stderr, exitCode } = await run(['pull', 'acme/one', 'acme/broken', 'two'], { download });
  expect(stdout.replaceAll(root, '').split('\n')).toEqual([
    `acme/one: already here (0.1 kB, commit ${commitA}) in /hub/models--acme--one/snapshots/${commitA}`,
    `two: downloaded (0.1 kB, commit ${commitB}) in /hub/models--acme--two/snapshots/${commitB}`,
    '',
  ]);
  expect(stderr).toBe('error: acme/broken: the hub has no such model\n');
  expect(exitCode).toBe(1);
  expect(readFileSync(join(hub, 'models--acme--two/refs/v2'), 'utf8')).toBe(commitB);
});

test('pull completes a snapshot that has its weights and lacks another file, at the commit that is here', async () => {
  putSnapshot(hub, { files: { 'config.json': '{}', 'model.safetensors': tinyWeights } });
  const asked: (string | undefined)[] = [];
  const noted: Download = (repository, options) => (asked.push(options.revision), download(repository, options));
  const pull = async () => (await run(['pull', 'acme/one', '--json'], { download: noted })).stdout;
  expect(json(await pull())).toMatchObject([{ state: 'completed', commit: commitA, sizeBytes: 101 }]);
  expect(json(await pull())).toMatchObject([{ state: 'already here', commit: commitA, sizeBytes: 101 }]);
  expect(asked).toEqual([commitA, commitA]);
});

test('pull asks nobody about what the lock file, the models folder or HF_HUB_OFFLINE settles', async () => {
  putSnapshot(hub);
  putFolder(join(root, 'local/acme/two'));
  const nobody: Download = () => Promise.reject(new Error('expected no question'));
  const offline = await run(['pull', 'acme/one'], { download: nobody, env: { HF_HUB_OFFLINE: '1' } });
  expect([offline.stderr, offline.exitCode]).toEqual(['', 0]);
  expect((await run(['pull', 'acme/one', '--lock'], { download })).exitCode).toBe(0);
  const settled = await run(['pull', '--all', '--models-dir', join(root, 'local')], { download: nobody });
  expect([settled.stderr, settled.exitCode]).toEqual(['', 0]);
});

test('pull says offline that weights were cut short', async () => {
  writeFileSync(join(putSnapshot(hub), 'model.safetensors'), tinyWeights.subarray(0, -1));
  const { stdout, stderr, exitCode } = await run(['pull', 'acme/one'], { env: { HF_HUB_OFFLINE: '1' } });
  expect(stderr).toMatch(/^error: acme\/one: expected whole weights in .* To mend it, unset HF_HUB_OFFLINE and pull/);
  expect([stdout, exitCode]).toEqual(['', 1]);
});

test('pull takes what is here where the hub cannot be asked, says so, and asks an unreachable one once', async () => {
  putSnapshot(hub);
  putSnapshot(hub, { repository: 'acme/two', refs: ['v2'] });
  let asked = 0;
  const away: Download = () => (asked++, Promise.reject(new HubError('unreachable', 'hub could not be reached.')));
  const { stdout, stderr, exitCode } = await run(['pull', '--all'], { download: away });
  expect(stderr).toBe(
    'acme/one: taken as it is, the hub could not say whether files are missing: hub could not be reached.\n' +
      'two: taken as it is, the hub could not say whether files are missing: hub could not be reached.\n',
  );
  expect(stdout.match(/already here/g)).toHaveLength(2);
  expect([asked, exitCode]).toEqual([1, 0]);
  const full: Download = () => Promise.reject(new HubError('disk_full', 'no room'));
  expect((await run(['pull', 'acme/one'], { download: full })).stderr).toBe('error: acme/one: no room\n');
});

test('pull --all --json has one object a model', async () => {
  const { stdout, exitCode } = await run(['pull', '--all', '--json'], { download });
  expect(json(stdout)).toMatchObject([
    { name: 'acme/one', repository: 'acme/one', revision: null, commit: commitB, state: 'downloaded', isLocked: false },
    { name: 'two', repository: 'acme/two', revision: 'v2', commit: commitB, state: 'downloaded' },
  ]);
  expect(exitCode).toBe(0);
});

test('pull --lock writes the lock file, the next pull is held to it, and --lock moves it on', async () => {
  const lockFile = join(root, 'models.lock');
  expect((await run(['pull', 'acme/one', '--lock'], { download })).exitCode).toBe(0);
  const text = readFileSync(lockFile, 'utf8');
  expect(json(text)).toMatchObject({
    version: 1,
    models: [{ repository: 'acme/one', revision: 'main', commit: commitB, files: { 'config.json': { sizeBytes: 2 } } }],
  });
  writeFileSync(lockFile, text.replace(commitB, commitA));
  rmSync(hub, { recursive: true });
  const held = await run(['pull', '--all', '--json'], { download });
  expect(json(held.stdout)).toMatchObject([
    { name: 'acme/one', commit: commitA, isLocked: true },
    { name: 'two', commit: commitB, isLocked: false },
  ]);
  expect(json((await run(['models', '--json'])).stdout)).toMatchObject([
    { name: 'acme/one', state: 'cached', revision: commitA, isLocked: true },
    { name: 'two', revision: commitB, isLocked: false },
  ]);
  rmSync(hub, { recursive: true });
  const moved = await run(['pull', '--all', '--lock', '--json'], { download });
  expect(moved.stderr).toBe(`acme/one: the lock file had commit ${commitA}, now ${commitB}\n`);
  expect(json(moved.stdout)).toMatchObject([{ commit: commitB, isLocked: true }, { isLocked: true }]);
  expect(json(readFileSync(lockFile, 'utf8'))).toMatchObject({ models: [{ commit: commitB }, { revision: 'v2' }] });
});

test('pull --lock takes no broken file for the measure', async () => {
  writeFileSync(join(putSnapshot(hub), 'config.json'), '[]');
  const { stderr, exitCode } = await run(['pull', 'acme/one', '--lock'], { download });
  expect(stderr).toMatch(/^error: acme\/one: .*config\.json is corrupt: expected the bytes of [0-9a-f]{40}; run/);
  expect([exitCode, existsSync(join(root, 'models.lock'))]).toEqual([1, false]);
});

test('a lock file that is wrong is named with the place in it', async () => {
  writeFileSync(join(root, 'other.lock'), '{"version":1,"models":[{}]}');
  const { stderr, exitCode } = await run(['models', '--lock-file', join(root, 'other.lock')]);
  expect(stderr).toContain(
    'other.lock: expected a readable lock file (EMBEDDINGS_LOCK_FILE): models[0]: expected the key',
  );
  expect(exitCode).toBe(1);
});

test('pull is refused offline unless everything is here', async () => {
  putSnapshot(hub);
  const offline = { download, env: { HF_HUB_OFFLINE: '1' } };
  expect((await run(['pull', 'acme/one', '--lock'], offline)).exitCode).toBe(0);
  const { stderr, exitCode } = await run(['pull', '--all'], offline);
  expect(stderr).toMatch(
    /^error: expected every model on this machine, since HF_HUB_OFFLINE is set; missing are two\./,
  );
  expect(exitCode).toBe(1);
});

test('Ctrl-C ends a pull with 130 and says that the next one goes on', async () => {
  const begun = withResolvers<void>();
  const slow: Download = (_, { signal }) => {
    begun.resolve();
    return new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('socket closed')));
    });
  };
  const { exitCode, output, signal, listeners } = startCli(['pull', '--all', '--json'], { env, download: slow });
  await begun.promise;
  signal('SIGINT');
  expect(await exitCode).toBe(130);
  expect(output.stderr).toBe(
    'error: stopped by SIGINT; what has arrived is kept, and the next pull goes on from there\n',
  );
  expect([output.stdout, listeners.size]).toEqual(['', 0]);
});

test('verify reports every file, exits 1 for a flipped byte and says what to do', async () => {
  const snapshot = putSnapshot(hub);
  const good = await run(['verify']);
  expect(good.stdout.replaceAll(root, '')).toBe(
    [
      `acme/one: ok /hub/models--acme--one/snapshots/${commitA} (commit ${commitA})`,
      '  ok  1_Pooling/config.json',
      '  ok  config.json',
      '  ok  model.safetensors',
      '',
    ].join('\n'),
  );
  expect([good.stderr, good.exitCode]).toEqual(['', 0]);
  writeFileSync(join(snapshot, 'model.safetensors'), flipped);
  const { stdout, exitCode } = await run(['verify', 'acme/one']);
  expect(stdout).toMatch(/^acme\/one: WRONG /);
  expect(stdout).toMatch(/^ {2}corrupt +model\.safetensors +its sha256 checksum should be [0-9a-f]{64}$/m);
  expect(stdout).toContain('  to mend it: embeddings rm acme/one && embeddings pull acme/one\n');
  expect(exitCode).toBe(1);
  expect(json((await run(['verify', 'acme/one', 'two', '--json'])).stdout)).toMatchObject([
    { name: 'acme/one', kind: 'cache', isGood: false, commit: commitA, isLocked: false },
    { name: 'two', kind: null, isGood: false, problem: 'no files on this machine', todo: 'embeddings pull two' },
  ]);
});

test('verify says of a plain folder without a lock that nothing is known', async () => {
  putFolder(join(root, 'local/acme/one'));
  const argv = ['verify', 'acme/one', '--models-dir', join(root, 'local')];
  const { stdout, exitCode } = await run(argv);
  expect(stdout).toContain('  not checked  model.safetensors      no checksum known\n');
  expect(exitCode).toBe(0);
  writeFileSync(join(root, 'local/acme/one/model.safetensors'), tinyWeights.subarray(0, -1));
  expect((await run(argv)).stdout).toMatch(/It may be a partial download/);
});

test('verify holds a model whose weights are gone from the cache against it, though another place serves', async () => {
  const snapshot = putSnapshot(hub, { repository: 'sentence-transformers/all-MiniLM-L6-v2' });
  writeFileSync(join(snapshot, 'model.safetensors'), '');
  const { stdout, exitCode } = await run(['verify', 'sentence-transformers/all-MiniLM-L6-v2', '--json']);
  expect(json(stdout)).toMatchObject([
    { kind: 'cache', isGood: false },
    { kind: 'bundled', isGood: true },
  ]);
  expect(exitCode).toBe(1);
});

test('what export writes, import takes on another machine', async () => {
  putSnapshot(hub);
  putSnapshot(hub, { repository: 'acme/two', commit: commitB, refs: ['v2'] });
  const archive = join(root, 'models.tar');
  const exported = await run(['export', '--output', archive]);
  expect([exported.stderr, exported.exitCode]).toEqual(['', 0]);
  expect(exported.stdout).toMatch(
    /^acme\/one: 3 files, 0\.1 kB, commit a{40}\nacme\/two: 3 files, .*\nwrote .*models\.tar, /,
  );
  expect(readdirSync(root).toSorted()).toEqual(['hub', 'models.tar', 'models.txt']);
  const target = join(root, 'target');
  const imported = await run(['import', archive, '--json', '--hf-hub-cache', target]);
  expect(json(imported.stdout)).toMatchObject([
    { repository: 'acme/one', revision: 'main', commit: commitA },
    { repository: 'acme/two', revision: 'v2', commit: commitB },
  ]);
  expect(readTree(target)).toEqual(readTree(hub));
  expect((await run(['verify', '--hf-hub-cache', target])).exitCode).toBe(0);
});

test('an archive goes through pipes', async () => {
  putSnapshot(hub);
  const archive = join(root, 'models.tar');
  await run(['export', 'acme/one', '--output', archive]);
  const target = join(root, 'target');
  const { stdout, exitCode } = await run(['import', '-', '--hf-hub-cache', target], { stdin: [readFileSync(archive)] });
  expect(stdout).toBe(`acme/one@main: 0.1 kB in ${join(target, 'models--acme--one/snapshots', commitA)}\n`);
  expect(exitCode).toBe(0);
  const { stdout: piped } = await run(['export', 'acme/one', '--output', '-']);
  expect(Buffer.from(piped).subarray(0, 1000)).toEqual(readFileSync(archive).subarray(0, 1000));
});

test('export keeps a file that is there, and leaves none when it fails', async () => {
  const snapshot = putSnapshot(hub);
  const archive = join(root, 'models.tar');
  writeFileSync(archive, 'mine');
  const refused = await run(['export', 'acme/one', '--output', archive]);
  expect(refused.stderr).toMatch(
    /^error: expected --output to be a new file, got .*models\.tar, which exists; --force/,
  );
  expect((await run(['export', 'acme/one', '--output', archive, '--force', '--json'])).exitCode).toBe(0);
  rmSync(archive);
  writeFileSync(join(snapshot, 'model.safetensors'), flipped);
  const failed = await run(['export', 'acme/one', '--output', archive]);
  expect(failed.stderr).toMatch(/model\.safetensors is corrupt/);
  expect([failed.exitCode, readdirSync(root).toSorted()]).toEqual([1, ['hub', 'models.txt']]);
  expect((await run(['export', 'two', '--output', archive])).stderr).toMatch(
    /^error: no files of two on this machine: run `embeddings pull two`/,
  );
});

test('import says what is wrong with what it is given', async () => {
  expect((await run(['import', join(root, 'none.tar')])).stderr).toMatch(/which does not exist\n$/);
  const { stderr, exitCode } = await run(['import', '-'], { stdin: ['no archive'.repeat(100)] });
  expect(stderr).toMatch(/^error: expected a tar file as `embeddings export` writes it: /);
  expect(exitCode).toBe(1);
  expect((await run(['import', '-'], { isTTY: true })).exitCode).toBe(2);
});

test('import says which folder cannot be written to, and what to do', async () => {
  putSnapshot(hub);
  const archive = join(root, 'models.tar');
  await run(['export', 'acme/one', '--output', archive]);
  const target = join(root, 'models.txt/hub');
  const { stderr, exitCode } = await run(['import', archive, '--hf-hub-cache', target]);
  expect(stderr).toBe(
    `error: ${target} cannot be written to (ENOTDIR: a file is where a folder should be). ` +
      'Give this user the right to, or choose another folder with HF_HUB_CACHE.\n',
  );
  expect(exitCode).toBe(1);
});

test('Ctrl-C ends an import that waits for more of its archive, and nothing stays', async () => {
  putSnapshot(hub);
  const archive = join(root, 'models.tar');
  await run(['export', 'acme/one', '--output', archive]);
  const target = join(root, 'target');
  const waiting = withResolvers<void>();
  async function* half(): AsyncGenerator<string | Uint8Array> {
    yield readFileSync(archive).subarray(0, 3000);
    waiting.resolve();
    await new Promise(() => {}); // the other end hangs
  }
  const { exitCode, output, signal } = startCli(['import', '-'], {
    env: { ...env, HF_HUB_CACHE: target },
    stdin: half(),
  });
  await waiting.promise;
  signal('SIGINT');
  expect([await exitCode, output.stderr]).toEqual([130, 'error: stopped by SIGINT; nothing was imported\n']);
  expect(existsSync(target) ? readdirSync(target) : []).toEqual([]);
});

test('rm --dry-run only tells, rm frees, and a second rm finds nothing', async () => {
  putSnapshot(hub);
  putSnapshot(hub, { commit: commitB, refs: ['v2'], files: { ...tinyModel, 'config.json': '{"b":1}' } });
  const dry = await run(['rm', 'acme/one@v2', '--dry-run']);
  expect(dry.stdout).toBe(`acme/one@v2: would remove commit ${commitB}, freeing 0.0 kB\n`);
  expect(json((await run(['rm', 'acme/one@v2', '--json'])).stdout)).toMatchObject([
    { repository: 'acme/one', revision: 'v2', commits: [commitB], refs: ['v2'], freedBytes: 7 },
  ]);
  expect((await run(['verify', 'acme/one'])).exitCode).toBe(0);
  expect((await run(['rm', 'acme/one'])).stdout).toMatch(/^acme\/one: removed commit a{40}, freed 0\.1 kB\n$/);
  expect(existsSync(join(hub, 'models--acme--one'))).toBe(false);
  const again = await run(['rm', 'acme/one']);
  expect([again.stderr, again.exitCode]).toEqual([
    `error: acme/one: expected it in the cache ${hub}, got nothing there\n`,
    1,
  ]);
});

test('rm of a name takes every revision, whatever revision its line names', async () => {
  writeFileSync(join(root, 'models.txt'), 'acme/one revision=v1\nacme/one alias=other revision=v2\n');
  putSnapshot(hub, { refs: ['v1'] });
  putSnapshot(hub, { commit: commitB, refs: ['v2'], files: { ...tinyModel, 'config.json': '{"b":1}' } });
  expect(json((await run(['rm', 'other@v1', '--dry-run', '--json'])).stdout)).toMatchObject([
    { revision: 'v1', commits: [commitA], refs: ['v1'] },
  ]);
  const { stdout, exitCode } = await run(['rm', 'acme/one', 'other', '--json']);
  expect(json(stdout)).toMatchObject([{ name: 'acme/one', revision: null, commits: [commitA, commitB] }]);
  expect([(json(stdout) as unknown[]).length, exitCode, existsSync(join(hub, 'models--acme--one'))]).toEqual([
    1,
    0,
    false,
  ]);
});

test('rm never touches a folder of the user nor the bundled model', async () => {
  const folder = putFolder(join(root, 'local/acme/one'));
  const local = await run(['rm', 'acme/one', '--models-dir', join(root, 'local')]);
  expect(local.stderr).toContain(`; ${folder} is in the models folder, and rm leaves it alone\n`);
  const bundled = await run(['rm', 'sentence-transformers/all-MiniLM-L6-v2']);
  expect(bundled.stderr).toMatch(/is bundled, and rm leaves it alone\n$/);
  expect([local.exitCode, bundled.exitCode, existsSync(join(folder, 'config.json'))]).toEqual([1, 1, true]);
});

test('models shows what the cache takes, partial downloads and a total', async () => {
  putSnapshot(hub);
  putSnapshot(hub, { commit: commitB, refs: [] });
  writeFileSync(join(hub, 'models--acme--one/blobs/x.embeddings.incomplete'), Buffer.alloc(2_000_000));
  putFolder(join(hub, '.embeddings-import-somewhere-1-abcdef'), { x: Buffer.alloc(3_000_000) });
  const { stdout } = await run(['models']);
  expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['MODEL', 'STATE', 'SIZE', 'IN CACHE', 'COMMIT', 'LOCKED', 'FOLDER'],
    [
      'acme/one',
      'cached',
      '0.1 kB',
      '2.0 MB (2.0 MB partial)',
      'aaaaaaaa',
      join(hub, 'models--acme--one/snapshots', commitA),
    ],
    ['two (acme/two)', 'not downloaded'],
    ['1 of 2 models on this machine, 2.0 MB in the cache, 3.0 MB of imports that have not ended'],
    [''],
  ]);
  expect(json((await run(['models', '--json'])).stdout)).toMatchObject([
    { partialBytes: 2_000_000, revision: commitA },
    {},
  ]);
});
