import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import provenance from '../../models/provenance.json' with { type: 'json' };
import { formatLockFile, type LockedFile } from '../../src/store/lock-file.ts';

const root = join(import.meta.dirname, '../..');
const models = provenance.models.map((model) => ({
  ...model,
  folder: join(root, 'models', model.repository),
  files: model.files as Readonly<Record<string, LockedFile>>,
}));

test('models/provenance.json names every bundled model', () => {
  const found = readdirSync(join(root, 'models'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(root, 'models', name)).map((model) => `${name}/${model}`));
  expect(models.map(({ repository }) => repository)).toEqual(found);
});

test.each(models)('every file of $repository has the size and the SHA-256 of its provenance', ({ folder, files }) => {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  expect(Object.keys(files).toSorted()).toEqual(names.filter((name) => name !== 'README.md').toSorted());
  for (const [name, { sizeBytes, sha256 }] of Object.entries(files)) {
    const bytes = readFileSync(join(folder, name));
    expect([name, bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([name, sizeBytes, sha256]);
  }
});

test.each(models)('the card and the script of $repository tell the same origin', ({ folder, files, ...model }) => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const script = readFileSync(join(root, model.script), 'utf8');
  const { weights, version } = model.origin;
  for (const text of [readme, script]) {
    expect(text).toContain(weights.sha256);
    expect(text).toContain(model.origin.package);
    expect(text).toContain(version);
  }
  expect(readme).toContain(files[weights.file]?.sha256);
  expect(readme).toContain(model.script);
  expect(readme).toMatch(new RegExp(`^license: ${model.license}$`, 'im'));
  expect(existsSync(join(folder, 'LICENSE'))).toBe(true);
});

test('`embeddings verify` holds the bundled model to its provenance', () => {
  const folder = mkdtempSync(join(tmpdir(), 'embeddings-provenance-'));
  try {
    const lockFile = join(folder, 'models.lock');
    // The files are ours, and are of no commit of the hub.
    const locked = models.map(({ repository, files }) => {
      return { repository, revision: 'main', commit: '0'.repeat(40), files };
    });
    writeFileSync(lockFile, formatLockFile({ models: locked }));
    const output = execFileSync(
      process.execPath,
      [join(root, 'dist/cli.js'), 'verify', '--json', '--lock-file', lockFile, models[0]!.repository],
      { encoding: 'utf8', cwd: folder, env: { PATH: process.env['PATH'], HF_HOME: folder } },
    );
    const [report] = JSON.parse(output) as {
      kind: string;
      isGood: boolean;
      files: { path: string; state: string }[];
    }[];
    expect(report).toMatchObject({ kind: 'bundled', isGood: true });
    expect(report!.files.filter(({ state }) => state === 'ok')).toHaveLength(Object.keys(models[0]!.files).length);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
