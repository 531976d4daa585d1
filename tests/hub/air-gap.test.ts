import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { downloadModel } from '../../src/store/hub/download-model.ts';
import { cli } from '../cli/fake-context.ts';
import { tempFolder } from '../graph/temp-folder.ts';
import { readTree, tinyModel } from '../store/fake-hub-cache.ts';
import { fakeRepository } from './fake-repository.ts';
import { hubOf } from './hub-fixture.ts';

const python =
  process.env['EMBEDDINGS_E2E_PYTHON'] ?? fileURLToPath(new URL('../../.venv-test/bin/python', import.meta.url));
const isThere = spawnSync(python, ['-c', 'import huggingface_hub']).status === 0;
const reason = isThere ? '' : ' (skipped: no huggingface_hub in .venv-test; `make test` installs it)';

/** A machine with a cache and an allowlist of its own; `shared` is what is carried from one to another. */
function machineOf(endpoint: string, shared = tempFolder(), hub = join(tempFolder(), 'hub')) {
  writeFileSync(join(shared, 'models.txt'), 'acme/one\n');
  const env = { EMBEDDINGS_SUPPORTED_MODELS: join(shared, 'models.txt'), HF_HUB_CACHE: hub, HF_ENDPOINT: endpoint };
  return { hub, shared, run: (...argv: string[]) => cli(argv, { env, download: downloadModel }) };
}

const noHub = 'http://127.0.0.1:9';

test('a model is pulled, locked, carried to a machine without a network, and verified there', async () => {
  const hub = await hubOf({ repositories: [fakeRepository('acme/one', tinyModel)] });
  const outside = machineOf(hub.endpoint);
  const archive = join(outside.shared, 'models.tar');
  expect(await outside.run('pull', '--all', '--lock')).toMatchObject({ stderr: '', exitCode: 0 });
  expect(await outside.run('export', '--output', archive)).toMatchObject({ stderr: '', exitCode: 0 });
  const inside = machineOf(noHub, outside.shared);
  expect(await inside.run('import', archive)).toMatchObject({ stderr: '', exitCode: 0 });
  expect(readTree(inside.hub)).toEqual(readTree(outside.hub));
  const { stdout, exitCode } = await inside.run('verify');
  expect([stdout.match(/^ {2}ok /gm)?.length, exitCode]).toEqual([2, 0]); // nothing names the pooling, so it is not fetched
  expect(stdout).toMatch(/^acme\/one: ok .*, locked\)$/m);
});

test('weights in the cache that were cut short are mended by the next pull, and told where there is no hub', async () => {
  const hub = await hubOf({ repositories: [fakeRepository('acme/one', tinyModel)] });
  const machine = machineOf(hub.endpoint);
  const [row] = JSON.parse((await machine.run('pull', '--all', '--json')).stdout) as { folder: string }[];
  const weights = join(row?.folder ?? '', 'model.safetensors');
  const size = statSync(weights).size;
  truncateSync(weights, size - 2);
  const offline = await machineOf(noHub, machine.shared, machine.hub).run('pull', '--all');
  expect(offline.stderr).toMatch(
    /^error: acme\/one: expected whole weights in .* The hub could not mend it: 127\.0\.0\.1:9 /,
  );
  expect([offline.stdout, offline.exitCode]).toEqual(['', 1]);
  const mended = await machine.run('pull', '--all', '--json');
  expect(JSON.parse(mended.stdout)).toMatchObject([{ state: 'completed' }]);
  expect([mended.exitCode, statSync(weights).size]).toEqual([0, size]);
  expect((await machine.run('verify')).exitCode).toBe(0);
  expect(JSON.parse((await machine.run('pull', '--all', '--json')).stdout)).toMatchObject([{ state: 'already here' }]);
});

test('a model that the hub has changed since is refused by its lock', async () => {
  const before = await hubOf({ repositories: [fakeRepository('acme/one', tinyModel)] });
  const { shared, run } = machineOf(before.endpoint);
  await run('pull', '--all', '--lock');
  const { models } = JSON.parse(readFileSync(join(shared, 'models.lock'), 'utf8')) as { models: { commit: string }[] };
  const commit = models[0]?.commit ?? '';
  const changed = fakeRepository('acme/one', { ...tinyModel, 'config.json': '[]' }, { commit });
  const after = await hubOf({ repositories: [changed] });
  const { stderr, exitCode } = await machineOf(after.endpoint, shared).run('pull', '--all');
  expect(stderr).toMatch(/^error: acme\/one: acme\/one is not what the lock file holds: config\.json is another file/);
  expect(exitCode).toBe(1);
});

test.skipIf(!isThere)(`Python's huggingface_hub takes an imported cache for its own${reason}`, async () => {
  const hub = await hubOf({ repositories: [fakeRepository('acme/one', tinyModel)] });
  const outside = machineOf(hub.endpoint);
  const archive = join(outside.shared, 'models.tar');
  await outside.run('pull', '--all');
  await outside.run('export', '--output', archive);
  const inside = machineOf(noHub, outside.shared);
  await inside.run('import', archive);
  const unpacked = join(tempFolder(), 'unpacked');
  mkdirSync(unpacked);
  spawnSync('tar', ['-xf', archive, '-C', unpacked, '--exclude', 'embeddings-manifest.json']);
  const script = `
import json, sys
from huggingface_hub import scan_cache_dir, snapshot_download
for cache in sys.argv[1:]:
    info = scan_cache_dir(cache)
    [repo] = info.repos
    [revision] = repo.revisions
    snapshot_download("acme/one", cache_dir=cache, local_files_only=True)
    print(json.dumps([len(info.warnings), repo.repo_id, sorted(revision.refs), revision.nb_files]))`;
  const { stdout, stderr } = spawnSync(python, ['-c', script, inside.hub, unpacked], { encoding: 'utf8' });
  const line = '[0, "acme/one", ["main"], 2]\n';
  expect([stdout, stderr]).toEqual([line + line, '']);
});
