import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ConfigError, loadConfig, settingNames, settings, toFlag } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'embeddings-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const none = join(folder, 'none');

function envFile(text: string): string {
  const file = join(mkdtempSync(join(folder, 'env-')), '.env');
  writeFileSync(file, text);
  return file;
}

function problemOf(env: Record<string, string>, flags = {}): string {
  try {
    loadConfig({ env, flags, envFile: none });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('expected a ConfigError');
}

test('without any input every value is its default', () => {
  const { config, sources, unknown } = loadConfig({ env: {}, envFile: none });
  expect(config).toMatchObject({
    host: 'localhost',
    port: 11445,
    device: 'auto',
    maxBatchSize: 2048,
    truncateInputs: false,
  });
  expect(config.hfHubCache).toBe(join(homedir(), '.cache/huggingface/hub'));
  expect(new Set(Object.values(sources))).toEqual(new Set(['default']));
  expect(unknown).toEqual([]);
});

test('a flag wins over the environment, which wins over .env, which wins over the default', () => {
  const file = envFile('EMBEDDINGS_PORT=1\nEMBEDDINGS_HOST=file\nEMBEDDINGS_THREADS=3\n');
  const env = { EMBEDDINGS_PORT: '2', EMBEDDINGS_HOST: 'environment' };
  const { config, sources } = loadConfig({ env, flags: { port: '4' }, envFile: file });
  expect(config).toMatchObject({ port: 4, host: 'environment', threads: 3, maxLoadedModels: 4 });
  expect(sources).toMatchObject({ port: 'flag', host: 'environment', threads: '.env', maxLoadedModels: 'default' });
});

test('an empty value means not set and lets the weaker source speak', () => {
  const file = envFile('EMBEDDINGS_PORT=7\nEMBEDDINGS_BITSANDBYTES=\n');
  const env = { EMBEDDINGS_PORT: '', EMBEDDINGS_MAX_INPUT_TOKENS: ' ', HF_HOME: '' };
  const { config, sources } = loadConfig({ env, flags: { port: '' }, envFile: file });
  expect(config).toMatchObject({ port: 7, bitsandbytes: undefined, maxInputTokens: undefined });
  expect(sources).toMatchObject({ port: '.env', bitsandbytes: 'default', hfHubCache: 'default' });
});

test('comments, quotes, Windows line ends and a byte order mark of .env are understood', () => {
  const file = envFile('\uFEFFEMBEDDINGS_BITSANDBYTES=8bit # or 4bit\r\nexport EMBEDDINGS_HOST="::1"\r\n');
  expect(loadConfig({ env: {}, envFile: file }).config).toMatchObject({ bitsandbytes: '8bit', host: '::1' });
});

test('a folder where .env should be is an error that says so', () => {
  mkdirSync(join(folder, 'dir.env'));
  expect(() => loadConfig({ env: {}, envFile: join(folder, 'dir.env') })).toThrow(/readable file at .*dir\.env/);
});

test('every bad value is named at once with its variable, flag, source, expectation and what came', () => {
  const message = problemOf(
    { EMBEDDINGS_PORT: '70000', EMBEDDINGS_DEVICE: 'gpu', EMBEDDINGS_TRUNCATE_INPUTS: 'maybe' },
    { threads: '1.5' },
  );
  expect(message.split('\n')).toEqual([
    'EMBEDDINGS_PORT (--port, from environment): expected a whole number from 0 to 65535, got "70000"',
    'EMBEDDINGS_DEVICE (--device, from environment): expected auto, cpu, cuda, got "gpu"',
    'EMBEDDINGS_THREADS (--threads, from flag): expected a whole number from 1 to 1024, got "1.5"',
    'EMBEDDINGS_TRUNCATE_INPUTS (--truncate-inputs, from environment): expected true or false, got "maybe"',
  ]);
});

test.each(['0', '-0.1', '1.01', 'NaN', '50%', '0x1', '1e-1', '.', ''.padEnd(3, '9')])(
  '%s is no share of GPU memory',
  (value) => {
    expect(problemOf({ EMBEDDINGS_CUDA_MEMORY_FRACTION: value })).toContain('expected a number above 0 and at most 1');
  },
);

test.each([
  ['0.5', 0.5],
  ['1', 1],
  ['.25', 0.25],
  ['1.0', 1],
])('%s is the share %d of GPU memory', (value, share) => {
  expect(loadConfig({ env: { EMBEDDINGS_CUDA_MEMORY_FRACTION: value }, envFile: none }).config.cudaMemoryFraction).toBe(
    share,
  );
});

test.each(['-1', '1e3', ' 0x10', '1_000', '٣', '99999999999999999999', 'tcp'])('%s is no number of inputs', (value) => {
  expect(problemOf({ EMBEDDINGS_MAX_BATCH_SIZE: value })).toContain('expected a whole number from 1 to 1000000');
});

test('the words of the seed for switches and choices are understood in any case', () => {
  for (const yes of ['1', 'TRUE', 'Yes', 'y', 'on'])
    expect(loadConfig({ env: { EMBEDDINGS_TRUNCATE_INPUTS: yes }, envFile: none }).config.truncateInputs).toBe(true);
  for (const no of ['0', 'False', 'no', 'N', 'off'])
    expect(loadConfig({ env: { EMBEDDINGS_TRUNCATE_INPUTS: no }, envFile: none }).config.truncateInputs).toBe(false);
  expect(loadConfig({ env: { EMBEDDINGS_DEVICE: 'CUDA' }, envFile: none }).config.device).toBe('cuda');
});

test('the port that Kubernetes sets for a Service is refused with the way out', () => {
  expect(problemOf({ EMBEDDINGS_PORT: 'tcp://10.0.0.1:80' })).toContain('enableServiceLinks');
});

test('the Hugging Face cache follows the variables of the Python library in its order', () => {
  const cacheOf = (env: Record<string, string>): string => loadConfig({ env, envFile: none }).config.hfHubCache;
  const all = { HF_HUB_CACHE: '/a', HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c', XDG_CACHE_HOME: '/d' };
  expect(cacheOf(all)).toBe('/a');
  expect(cacheOf({ ...all, HF_HUB_CACHE: '' })).toBe('/b');
  expect(cacheOf({ HF_HOME: '/c', XDG_CACHE_HOME: '/d' })).toBe('/c/hub');
  expect(cacheOf({ XDG_CACHE_HOME: '/d' })).toBe('/d/huggingface/hub');
  expect(cacheOf({ HF_HOME: '~/hf' })).toBe(join(homedir(), 'hf/hub'));
  expect(loadConfig({ env: { HF_HOME: '/c' }, envFile: none }).sources.hfHubCache).toBe('environment');
});

test('no message holds the password of an address', () => {
  const problem = problemOf({ HF_ENDPOINT: 'http://user:hush@host' });
  expect(problem).toContain('//...@host');
  expect(problem).not.toContain('hush');
});

test('no message holds the value of a secret', () => {
  const secrets = settingNames().filter((name) => 'secret' in settings[name]);
  expect(secrets).toEqual(['apiKeys', 'hfToken', 'httpsProxy', 'httpProxy', 'redisUrl']);
  expect(problemOf({ HF_TOKEN: 'hf_hush', EMBEDDINGS_API_KEYS: 'sk-hush', EMBEDDINGS_PORT: 'x' })).not.toContain(
    'hush',
  );
});

test('a list of commas alone is refused: no keys would mean an open server', () => {
  expect(problemOf({ EMBEDDINGS_API_KEYS: ' , ' })).toBe(
    'EMBEDDINGS_API_KEYS (--api-keys, from environment): expected at least one name, got the value given',
  );
});

test('the configuration and its lists cannot be changed', () => {
  const { config } = loadConfig({ env: { EMBEDDINGS_API_KEYS: ' a, b ,,c ' }, envFile: none });
  expect(config.apiKeys).toEqual(['a', 'b', 'c']);
  for (const value of [config, config.apiKeys, config.preload, config.corsOrigins])
    expect(Object.isFrozen(value)).toBe(true);
});

test('variables that look like settings are reported, those of a Kubernetes Service are not', () => {
  const env = { EMBEDDINGS_MAX_BATCHSIZE: '3', EMBEDDINGS_SERVICE_HOST: 'x', EMBEDDINGS_PORT_80_TCP: 'x', OTHER: 'x' };
  expect(loadConfig({ env, envFile: envFile('EMBEDDINGS_DEVISE=cpu') }).unknown).toEqual([
    'EMBEDDINGS_DEVISE',
    'EMBEDDINGS_MAX_BATCHSIZE',
  ]);
});

test('no two settings share a variable or a flag', () => {
  expect(new Set(settingNames().map((name) => settings[name].env)).size).toBe(settingNames().length);
  expect(new Set(settingNames().map(toFlag)).size).toBe(settingNames().length);
  expect(toFlag('maxBatchSize')).toBe('--max-batch-size');
});
