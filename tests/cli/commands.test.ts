import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settingNames, settings, toFlag } from '../../src/config.ts';
import { cli } from './fake-context.ts';

const sampleValues: Readonly<Record<string, string>> = {
  n: '5000',
  path: '/some/path',
  list: 'a,b',
  text: 'words',
  share: '0.5',
  '': 'true',
  url: 'http://mirror.test',
  time: '5m',
  proxy: 'http://proxy.test:3128',
  size: '8GB',
};

function sampleOf(name: typeof settingNames extends () => readonly (infer N)[] ? N : never): string {
  const special: Partial<Record<typeof name, string>> = {
    device: 'cpu',
    bitsandbytes: '4bit',
    pooling: 'model',
    tokenIds: 'tiktoken',
    logLevel: 'warn',
    replicas: '3',
    threads: '3',
    shutdownSeconds: '9',
    drainSeconds: '4',
    redisUrl: 'redis://localhost:6379',
    loadWaitSeconds: '9',
    publicRoutes: 'docs,health',
  };
  return special[name] ?? sampleValues[settings[name].placeholder] ?? '';
}

test.each(settingNames())('the flag of %s is taken by every command and shown as its source', async (name) => {
  const { stdout, stderr, exitCode } = await cli(['config', '--json', toFlag(name), sampleOf(name)]);
  expect([stderr, exitCode]).toEqual(['', 0]);
  const row = (JSON.parse(stdout) as { name: string; source: string; value: unknown }[]).find(
    (each) => each.name === name,
  );
  const value = 'secret' in settings[name] ? '(set)' : settings[name].parse(sampleOf(name));
  expect(row).toMatchObject({ source: 'flag', value });
});

test('a switch needs no value and can be switched off', async () => {
  const valueOf = async (...argv: string[]): Promise<unknown> => {
    const { stdout } = await cli(['config', '--json', ...argv], { env: { EMBEDDINGS_TRUNCATE_INPUTS: '' } });
    return (JSON.parse(stdout) as { name: string; value: unknown }[]).find(({ name }) => name === 'truncateInputs')
      ?.value;
  };
  expect([await valueOf('--truncate-inputs'), await valueOf('--truncate-inputs=false'), await valueOf()]).toEqual([
    true,
    false,
    false,
  ]);
});

test('config is an aligned table without secrets', async () => {
  const { stdout, stderr } = await cli(['config', '--hf-token', 'hf_hush'], {
    env: { EMBEDDINGS_API_KEYS: 'sk-hush', EMBEDDINGS_PROT: '1' },
  });
  const lines = stdout.trimEnd().split('\n');
  const column = lines[0]?.indexOf('FROM') ?? 0;
  expect(lines).toHaveLength(settingNames().length + 1);
  for (const line of lines.slice(1))
    expect(line.slice(column)).toMatch(/^(default|environment|\.env|flag) +--[a-z-]+$/);
  expect(stdout).toMatch(/^HF_TOKEN +\(set\) +flag /m);
  expect(stdout).not.toContain('hush');
  expect(stderr).toBe('warning: EMBEDDINGS_PROT is set but is no setting; `embeddings config` lists them all\n');
});

test('models shows where each model is, how large, and why a folder was skipped', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'embeddings-models-'));
  try {
    mkdirSync(join(folder, 'acme/one'), { recursive: true });
    mkdirSync(join(folder, 'acme/two'), { recursive: true });
    writeFileSync(join(folder, 'acme/one/config.json'), '{}');
    writeFileSync(join(folder, 'acme/one/model.safetensors'), 'w'.repeat(1_499_998));
    const argv = ['models', '--models-dir', folder];
    const { stdout, exitCode } = await cli(argv);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['MODEL', 'STATE', 'SIZE', 'IN CACHE', 'COMMIT', 'LOCKED', 'FOLDER'],
      ['acme/one', 'local', '1.5 MB', join(folder, 'acme/one')],
      ['two (acme/two)', 'not downloaded'],
      ['', 'skipped', `${join(folder, 'acme/two')} (config.json is missing)`],
      ['1 of 2 models on this machine, 0.0 kB in the cache'],
      [''],
    ]);
    const json: unknown = JSON.parse((await cli([...argv, '--json'])).stdout);
    expect(json).toMatchObject([
      { name: 'acme/one', state: 'local', sizeBytes: 1_500_000, skipped: [] },
      { name: 'two', repository: 'acme/two', state: 'not downloaded', folder: null, sizeBytes: null },
    ]);
    // The same model is the default of embed: the first of the list that lies in the models folder.
    expect(JSON.parse((await cli(['embed', 'a', '--models-dir', folder])).stdout)).toMatchObject({ model: 'acme/one' });
    expect(exitCode).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a bad allowlist is named with its line and exit code 1', async () => {
  const { stderr, exitCode } = await cli(['models', '--supported-models', '/nowhere/models.txt']);
  expect(stderr).toMatch(/^error: \/nowhere\/models\.txt: expected a readable allowlist file[^\n]+\n$/);
  expect(exitCode).toBe(1);
});

test.each([
  [['--help']],
  [['serve', '--help']],
  [['embed', '--help']],
  [['models', '--help']],
  [['pull', '--help']],
  [['verify', '--help']],
  [['export', '--help']],
  [['import', '--help']],
  [['rm', '--help']],
  [['keys', 'create', '--help']],
  [['config', '--help']],
  [['doctor', '--help']],
  [['help', 'embed']],
])('%j prints help with what to type and starts nothing', async (argv) => {
  const { stdout, stderr, exitCode, created } = await cli(argv);
  expect(stdout).toMatch(/^Usage: embeddings/);
  expect(stdout).toMatch(/Examples:|embeddings serve --help/);
  expect([stderr, exitCode, created]).toEqual(['', 0, []]);
});

test('the help of serve names every variable with its flag', async () => {
  const { stdout } = await cli(['serve', '--help']);
  const words = stdout.replaceAll(/\s+/g, ' ');
  for (const name of settingNames()) {
    expect(words).toContain(`${toFlag(name)} `);
    expect(words).toContain(`(${settings[name].env}, default: `);
  }
});

test('--version prints the version of the package', async () => {
  expect((await cli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([
  [[]],
  [['emebd']],
  [['--nope']],
  [['config', 'extra']],
  [['pull']],
  [['pull', 'acme/one', '--all']],
  [['pull', '../up']],
  [['verify', 'a/b/c']],
  [['export', 'acme/one']],
  [['export', '--output', '-', '--json']],
  [['import']],
  [['rm']],
  [['keys']],
  [['keys', 'create']],
])('%j is wrong usage with exit code 2', async (argv) => {
  const { stdout, stderr, exitCode } = await cli(argv);
  expect(stderr.length).toBeGreaterThan(0);
  expect([stdout, exitCode]).toEqual(['', 2]);
});
