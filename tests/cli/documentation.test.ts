import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { describeDefault } from '../../src/cli/setting-flags.ts';
import { loadConfig, settingNames, settings, toFlag } from '../../src/config.ts';
import { parseAllowlist } from '../../src/store/allowlist.ts';

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

test('docs/configuration.md has exactly one right row for every setting', () => {
  const rows = read('docs/configuration.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const wanted = settingNames().map((name) => {
    const { env, help, placeholder } = settings[name];
    const flag = placeholder === '' ? toFlag(name) : `${toFlag(name)} ${placeholder.toUpperCase()}`;
    return `| \`${env}\` | \`${flag}\` | ${describeDefault(name).replace('*', '\\*')} | ${help.replaceAll('|', '\\|').replaceAll('<', '\\<')} |`;
  });
  expect(rows).toEqual(wanted);
});

test('env.example holds the variables of the seed, each explained, and starts as it is', () => {
  const text = read('env.example');
  const variables = Object.keys(parseEnv(text));
  expect(variables.toSorted()).toEqual([
    'EMBEDDINGS_BITSANDBYTES',
    'EMBEDDINGS_CUDA_MEMORY_FRACTION',
    'EMBEDDINGS_DEVICE',
    'EMBEDDINGS_HOST',
    'EMBEDDINGS_MAX_BATCH_SIZE',
    'EMBEDDINGS_MAX_INPUT_TOKENS',
    'EMBEDDINGS_MAX_LOADED_MODELS',
    'EMBEDDINGS_PORT',
    'EMBEDDINGS_TRUNCATE_INPUTS',
    'HF_TOKEN',
    'INSTALL_FLASH_ATTN',
    'PYTORCH_TAG',
  ]);
  for (const variable of variables) expect(text).toMatch(new RegExp(`# [^\n]+\n${variable}=`));
  const folder = mkdtempSync(join(tmpdir(), 'embeddings-env-'));
  try {
    writeFileSync(join(folder, '.env'), text);
    const withExample = loadConfig({ env: {}, envFile: join(folder, '.env') });
    expect(withExample.config).toEqual(loadConfig({ env: {}, envFile: join(folder, 'none') }).config); // it states the defaults
    expect(withExample.unknown).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the shipped allowlist parses, uses no option and knows the bundled model', () => {
  const { entries } = parseAllowlist(read('supported_models.txt'));
  expect(entries).toHaveLength(39);
  expect(entries.filter((entry) => Object.keys(entry).length > 3)).toEqual([]);
  expect(entries[0]?.name).toBe('sentence-transformers/all-MiniLM-L6-v2'); // the first is the default of the command line
});

test('the commented example of the shipped allowlist works when uncommented', () => {
  const example = read('supported_models.txt')
    .split('\n')
    .filter((line) => line.startsWith('#   intfloat/'));
  const { entries } = parseAllowlist(example.map((line) => line.slice(1)).join('\n'));
  expect(entries.map(({ name, prompt }) => [name, prompt])).toEqual([
    ['e5-query', 'query: '],
    ['e5-passage', 'passage: '],
  ]);
});
