import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createApp } from '../src/app.ts';
import { loadConfig } from '../src/config.ts';
import { formatLockFile, writeLockFile } from '../src/store/lock-file.ts';
import { commitB, putSnapshot } from './store/fake-hub-cache.ts';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'embeddings-locked-'))));
afterEach(() => rmSync(root, { recursive: true }));

const neverARunner = (): never => {
  throw new Error('expected no runner');
};

/** A server whose allowlist is `acme/one`, which the cache has at commit A, and which never reaches the hub. */
function start() {
  writeFileSync(join(root, 'models.txt'), 'acme/one\n');
  putSnapshot(join(root, 'hub'));
  const env = {
    EMBEDDINGS_SUPPORTED_MODELS: join(root, 'models.txt'),
    HF_HUB_CACHE: join(root, 'hub'),
    HF_HUB_OFFLINE: '1',
  };
  const { config } = loadConfig({ env, envFile: join(root, '.env') });
  return createApp({ config, logger: pino({ level: 'silent' }), openChannel: neverARunner });
}

test('the server loads no other commit than the lock file names', async () => {
  const model = { repository: 'acme/one', revision: 'main', commit: commitB, files: {} };
  writeLockFile(join(root, 'models.lock'), { models: [model] });
  const app = await start();
  try {
    const items = [{ kind: 'text', text: 'hello' }] as const;
    const embedding = app.embed({ model: 'acme/one', items }, new AbortController().signal);
    await expect(embedding).rejects.toThrow(/snapshots\/b{40} \(no such commit, and the lock file wants it\)/);
  } finally {
    await app.close();
  }
});

test('a lock file that is wrong stops the start', async () => {
  writeFileSync(join(root, 'models.lock'), formatLockFile({ models: [] }).replace('1', '2'));
  await expect(start()).rejects.toThrow(/models\.lock: expected a readable lock file .*version: expected 1, got 2/);
});
