import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hashApiKey } from '../../src/access/api-key.ts';
import { parseKeyFile } from '../../src/access/key-file.ts';
import { cli } from './fake-context.ts';

let root: string;
let file: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'embeddings-keys-'));
  file = join(root, 'new/keys.jsonl');
});
afterEach(() => rmSync(root, { recursive: true }));

const run = (...argv: readonly string[]) => cli(['keys', ...argv], { env: { EMBEDDINGS_API_KEYS_FILE: file } });
const records = () => parseKeyFile(readFileSync(file, 'utf8')).map(({ record }) => record);

test('create prints the key alone on stdout and keeps its hash in a file for its owner', async () => {
  const { stdout, stderr, exitCode } = await run('create', 'app');
  expect([stdout, exitCode]).toEqual([expect.stringMatching(/^sk-emb-[\w-]{43}\n$/), 0]);
  expect(stderr).toContain('the only time');
  expect(records()).toEqual([{ name: 'app', hash: hashApiKey(stdout.trim()), created: expect.any(String) }]);
  expect(readFileSync(file, 'utf8') + stderr).not.toContain(stdout.trim());
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(root, 'new'))).toEqual(['keys.jsonl']); // no lock, nothing temporary
});

test('create takes models, an end and limits', async () => {
  const options = [
    '--models',
    'BAAI/*, e5',
    '--expires',
    '2099-01-01',
    '--requests-per-minute',
    '60',
    '--tokens-per-minute',
    '7',
  ];
  expect((await run('create', 'app', ...options)).exitCode).toBe(0);
  expect(records()[0]).toMatchObject({
    models: ['BAAI/*', 'e5'],
    expires: '2099-01-01',
    requestsPerMinute: 60,
    tokensPerMinute: 7,
  });
  const { stdout } = await run('list');
  expect(stdout).toMatch(/^NAME +STATE +CREATED .*\napp +active +\d{4}-\d\d-\d\d +2099-01-01 +60 +7 +BAAI\/\*,e5\n$/);
});

test('an edit keeps the mode of the file and what others wrote in it', async () => {
  await run('create', 'a');
  writeFileSync(file, `# ours\n${readFileSync(file, 'utf8')}`);
  chmodSync(file, 0o640);
  await run('create', 'b');
  expect((await run('revoke', 'a')).exitCode).toBe(0);
  expect(readFileSync(file, 'utf8')).toMatch(/^# ours\n.*"name":"a".*"revoked":"20.*\n.*"name":"b".*\n$/);
  expect(statSync(file).mode & 0o777).toBe(0o640);
});

test('edits at the same time lose nothing', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const runs = await Promise.all(names.map((name) => run('create', name)));
  expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0]);
  expect(
    records()
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(names);
});

test('list tells states and no hash', async () => {
  await run('create', 'live');
  await run('create', 'gone');
  await run('revoke', 'gone');
  const old = { name: 'old', hash: hashApiKey('x'), created: '2025-01-01', expires: '2026-01-01' };
  writeFileSync(file, `${readFileSync(file, 'utf8')}${JSON.stringify(old)}\n`);
  const { stdout } = await run('list', '--json');
  const rows = JSON.parse(stdout) as { name: string; state: string }[];
  expect(rows.map(({ name, state }) => [name, state])).toEqual([
    ['live', 'active'],
    ['gone', 'revoked'],
    ['old', 'expired'],
  ]);
  expect(stdout).not.toContain('sha256');
});

test.each([
  [['create', 'a b'], 2, 'as the name of the key'],
  [['create', 'sk-emb-hush'], 2, 'and no key'],
  [['create', 'b', '--expires', '90'], 2, '--expires: expected a time from now'],
  [['create', 'b', '--models', ','], 2, '--models: expected names'],
  [['create', 'b', '--requests-per-minute', '0'], 2, 'Expected a whole number from 1'],
  [['create', 'a'], 1, 'keys.jsonl: line 1: there is a key called a'],
  [['revoke', 'b'], 1, 'there is no key called b; the names are: a'],
])('%j ends with %i and changes nothing', async (argv, code, message) => {
  await run('create', 'a');
  const before = readFileSync(file, 'utf8');
  const { stdout, stderr, exitCode } = await run(...argv);
  expect([stdout, exitCode]).toEqual(['', code]);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('hush');
  expect(readFileSync(file, 'utf8')).toBe(before);
});

test('without a file the error says what to set, and a missing one is not made by list and revoke', async () => {
  const unset = await cli(['keys', 'create', 'a']);
  expect([unset.exitCode, unset.stdout]).toEqual([2, '']);
  expect(unset.stderr).toMatch(/EMBEDDINGS_API_KEYS_FILE.*--file/);
  for (const argv of [['list'], ['revoke', 'a']]) {
    const { stderr, exitCode } = await run(...argv);
    expect([exitCode, existsSync(file)]).toEqual([1, false]);
    expect(stderr).toContain('embeddings keys create');
  }
});

test('--file names another file, and the note says how a service would read it', async () => {
  const other = join(root, 'other.jsonl');
  const { stderr } = await run('create', 'a', '--file', other);
  expect(stderr).toContain(`EMBEDDINGS_API_KEYS_FILE=${other}`);
  expect([existsSync(other), existsSync(file)]).toEqual([true, false]);
});
