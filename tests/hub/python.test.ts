import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { repositoryCache } from '../../src/store/hub-cache.ts';
import type { DownloadProgress } from '../../src/store/hub/download-progress.ts';
import { tempFolder } from '../graph/temp-folder.ts';
import {
  cacheFor,
  expectNothingCorrupt,
  filesBelow,
  hubOf,
  modelId,
  partialBytes,
  smallModel,
  wantedOfSmallModel,
  etagOf,
} from './hub-fixture.ts';

const python =
  process.env['EMBEDDINGS_E2E_PYTHON'] ?? fileURLToPath(new URL('../../.venv-test/bin/python', import.meta.url));
const isThere = spawnSync(python, ['-c', 'import huggingface_hub']).status === 0;
const reason = isThere ? '' : ' (skipped: no huggingface_hub in .venv-test; `make test` installs it)';

const repository = smallModel({ refs: ['main', 'v1'] });

describe.skipIf(!isThere)(`Python's huggingface_hub and we share a cache${reason}`, () => {
  test('it finds what we downloaded, and nothing to complain about', async () => {
    const hub = await hubOf({ repositories: [repository] });
    const cache = cacheFor(hub);
    const model = await cache.download({ revision: 'v1' });
    await cache.download();
    const script = `
import json, sys
from huggingface_hub import scan_cache_dir, snapshot_download, try_to_load_from_cache
cache = sys.argv[1]
info = scan_cache_dir(cache)
[repo] = info.repos
[revision] = repo.revisions
print(json.dumps({
    "warnings": [str(warning) for warning in info.warnings],
    "incomplete": len(info.incomplete_files),
    "id": repo.repo_id,
    "type": repo.repo_type,
    "commit": revision.commit_hash,
    "refs": sorted(revision.refs),
    "files": sorted(str(file.file_path.relative_to(revision.snapshot_path)) for file in revision.files),
    "main": snapshot_download("${modelId}", cache_dir=cache, local_files_only=True),
    "v1": snapshot_download("${modelId}", cache_dir=cache, revision="v1", local_files_only=True),
    "commit_folder": snapshot_download("${modelId}", cache_dir=cache, revision="${repository.commit}", local_files_only=True),
    "file": try_to_load_from_cache("${modelId}", "2_Dense/model.safetensors", cache_dir=cache),
}))`;
    expect(JSON.parse(await runPython(script, [cache.folder]))).toEqual({
      warnings: [],
      incomplete: 0,
      id: modelId,
      type: 'model',
      commit: repository.commit,
      refs: ['main', 'v1'],
      files: filesBelow(model.folder),
      main: model.folder,
      v1: model.folder,
      commit_folder: model.folder,
      file: join(model.folder, '2_Dense/model.safetensors'),
    });
  });

  test('it adds the files that we leave out, and fetches none of ours again', async () => {
    const hub = await hubOf({ repositories: [repository] });
    const cache = cacheFor(hub);
    await cache.download();
    hub.forgetRequests();
    const folder = await downloadWithPython(hub.endpoint, cache.folder);
    expect(filesBelow(folder)).toEqual([...repository.files.keys()].toSorted());
    expectNothingCorrupt(cache.folder, repository);
    const fetched = hub.requests
      .filter(({ method, host }) => method === 'GET' && host === 'hub')
      .flatMap(({ path }) => path.split(`/resolve/${repository.commit}/`).slice(1));
    const wanted = filesBelow(folder).filter((path) => !wantedOfSmallModel.includes(path));
    expect(fetched.toSorted()).toEqual(wanted.filter((path) => repository.files.get(path)?.isLarge === false));
  });

  test('we find what it downloaded, link for link as we do it, and fetch none of it again', async () => {
    const hub = await hubOf({ repositories: [repository] });
    const cache = cacheFor(hub);
    const folder = await downloadWithPython(hub.endpoint, cache.folder);
    expect(cache.locate()).toEqual({ kind: 'cache', folder, revision: repository.commit });
    hub.forgetRequests();
    expect(await cache.download()).toEqual({ kind: 'cache', folder, revision: repository.commit });
    expect(hub.requests).toHaveLength(1);

    const ours = await cacheFor(hub).download();
    for (const path of filesBelow(ours.folder))
      expect(readlinkSync(join(ours.folder, path))).toBe(readlinkSync(join(folder, path)));
    const refOf = (root: string) => readFileSync(join(repositoryCache(root, modelId).refs, 'main'), 'utf8');
    expect(refOf(cache.folder)).toBe(repository.commit);
  });

  test('it takes our unfinished files for what they are', async () => {
    const hub = await hubOf({ repositories: [repository] });
    const cache = cacheFor(hub);
    const stop = new AbortController();
    hub.addFault({ host: 'cdn', fault: { slow: { pieceBytes: 10_000, pauseMs: 2 } }, times: 9 });
    const onProgress = () => {
      if (partialBytes(cache.folder, repository, 'model.safetensors') > 50_000) stop.abort(new Error('enough'));
    };
    await expect(cache.download({ signal: stop.signal, onProgress })).rejects.toThrow('enough');
    const script = `
import sys
from huggingface_hub import scan_cache_dir
info = scan_cache_dir(sys.argv[1])
print(len(info.warnings), len(info.incomplete_files))`;
    expect(await runPython(script, [cache.folder])).toMatch(/^0 [12]$/);
    await downloadWithPython(hub.endpoint, cache.folder);
    expectNothingCorrupt(cache.folder, repository);
  });

  test('we wait for a file that it has locked', async () => {
    const hub = await hubOf({ repositories: [repository] });
    const cache = cacheFor(hub);
    const child = lockWithPython(lockPath(cache.folder), 'print("held", flush=True); sys.stdin.read()');
    await once(child.stdout, 'data');
    let hasWaited = false;
    const onProgress = ({ isWaiting }: DownloadProgress) => {
      if (isWaiting === undefined || hasWaited) return;
      hasWaited = true;
      expect(partialBytes(cache.folder, repository, 'model.safetensors')).toBe(0);
      child.stdin.end();
    };
    await cache.download({ onProgress });
    expect(hasWaited).toBe(true);
    expectNothingCorrupt(cache.folder, repository);
  });

  test('it waits for a file that we have locked, and no longer than that', async () => {
    const hub = await hubOf({ repositories: [repository] });
    const cache = cacheFor(hub);
    const stop = new AbortController();
    hub.addFault({ host: 'cdn', path: weightsEtag, fault: { hangAfterBytes: 100_000 } });
    const held = cache.download({ signal: stop.signal }).catch(() => {});
    await vi.waitFor(
      () => expect(partialBytes(cache.folder, repository, 'model.safetensors')).toBeGreaterThan(0),
      9000,
    );
    const isFree = async (): Promise<string> =>
      text(lockWithPython(lockPath(cache.folder), 'print("free")', 'timeout=0.5').stdout);
    expect(await isFree()).toBe('');
    stop.abort();
    await held;
    expect(await isFree()).toBe('free\n');
  });

  test('both at once never spoil a file', async () => {
    const hub = await hubOf({ repositories: [repository] });
    const cache = cacheFor(hub);
    hub.addFault({ host: 'cdn', fault: { slow: { pieceBytes: 10_000, pauseMs: 20 } }, times: 2 });
    await Promise.all([downloadWithPython(hub.endpoint, cache.folder), cache.download()]);
    expectNothingCorrupt(cache.folder, repository);
    expect(cache.locate()).toMatchObject({ revision: repository.commit });
  });
});

const weightsEtag = etagOf(repository, 'model.safetensors');

function lockPath(cache: string): string {
  return join(repositoryCache(cache, modelId).locks, `${weightsEtag}.lock`);
}

/** Runs Python code while its lock is held. */
function lockWithPython(path: string, code: string, options = 'timeout=None') {
  mkdirSync(dirname(path), { recursive: true });
  const script = `
import sys
from huggingface_hub.utils import WeakFileLock
with WeakFileLock(sys.argv[1], ${options}):
    ${code}`;
  const child = spawn(python, ['-c', script, path], { stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function downloadWithPython(endpoint: string, cache: string): Promise<string> {
  const script = `
import sys
from huggingface_hub import snapshot_download
print(snapshot_download("${modelId}", cache_dir=sys.argv[1]))`;
  return runPython(script, [cache], { HF_ENDPOINT: endpoint });
}

async function runPython(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const home = tempFolder();
  const { stdout } = await promisify(execFile)(python, ['-c', script, ...args], {
    env: {
      PATH: process.env['PATH'],
      HF_HOME: home,
      HF_HUB_DISABLE_XET: '1', // the fake hub has none
      HF_HUB_DISABLE_TELEMETRY: '1',
      HF_HUB_DISABLE_PROGRESS_BARS: '1',
      ...env,
    },
  });
  return stdout.trim();
}
