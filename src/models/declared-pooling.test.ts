import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { readDeclaredPooling } from './declared-pooling.ts';

const transformer = { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' };
const poolingIn = (path: unknown) => ({ idx: 1, name: '1', path, type: 'sentence_transformers.models.Pooling' });

/** A model folder with these texts for modules.json and, in `path`, config.json. */
function pooling({
  modules = [transformer, poolingIn('1_Pooling')],
  path = '1_Pooling',
  config,
}: {
  modules?: unknown;
  path?: string;
  config?: unknown;
}): string | undefined {
  const folder = join(tempFolder(), 'org', 'model');
  mkdirSync(join(folder, path), { recursive: true });
  const write = (name: string, value: unknown) =>
    writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  if (modules !== undefined) write('modules.json', modules);
  if (config !== undefined) write(join(path, 'config.json'), config);
  return readDeclaredPooling(folder);
}

test.each([
  ['cls', { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false }],
  ['mean', { pooling_mode_cls_token: false, pooling_mode_mean_tokens: true }],
  ['max', { pooling_mode_max_tokens: true }],
  ['mean_sqrt_len_tokens', { pooling_mode_mean_sqrt_len_tokens: true }],
  ['weightedmean', { pooling_mode_weightedmean_tokens: true }],
  ['lasttoken', { pooling_mode_lasttoken: true }],
  ['cls+mean', { pooling_mode_mean_tokens: true, pooling_mode_cls_token: true }],
  ['mean', { pooling_mode_cls_token: false }],
  ['mean', {}],
  ['lasttoken', { pooling_mode: 'lasttoken' }],
  ['cls+max', { pooling_mode: ['cls', 'max'] }],
  ['cls', { pooling_mode: ['cls'], pooling_mode_mean_tokens: true }],
])('%s is what sentence-transformers reads from %j', (expected, config) => {
  expect(pooling({ config: { word_embedding_dimension: 8, ...config } })).toBe(expected);
});

test('a folder without modules, or with modules but no pooling, declares none', () => {
  expect(readDeclaredPooling(tempFolder())).toBeUndefined();
  expect(pooling({ modules: [] })).toBeUndefined();
  expect(pooling({ modules: [transformer, { type: 'my.PoolingNot', path: 'x' }] })).toBeUndefined();
});

test('the module is found under its newer name too', () => {
  const modules = [{ path: 'pool', type: 'sentence_transformers.sentence_transformer.modules.pooling.Pooling' }];
  expect(pooling({ modules, path: 'pool', config: { pooling_mode: 'cls' } })).toBe('cls');
});

test.each([['..'], ['...'], ['../model'], ['a/../..'], ['/etc'], ['1_Pooling/'], ['1_Pooling\0'], [null], [7]])(
  'the pooling folder %j is not opened',
  (path) => {
    const folder = join(tempFolder(), 'model');
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    for (const place of ['.', '..', 'a/b'])
      writeFileSync(join(folder, place, 'config.json'), '{"pooling_mode": "cls"}');
    writeFileSync(join(folder, 'modules.json'), JSON.stringify([poolingIn(path)]));
    expect(readDeclaredPooling(folder)).toBe('unknown');
  },
);

test('a declared pooling that cannot be read is unknown, never silently mean', () => {
  expect(pooling({})).toBe('unknown'); // no config.json
  for (const config of [
    'null',
    '[]',
    '"cls"',
    { pooling_mode: 7 },
    { pooling_mode: ['cls', null] },
    { pooling_mode: '../x' },
  ]) {
    expect(pooling({ config })).toBe('unknown');
  }
  expect(pooling({ modules: {} })).toBe('unknown');
});

test('broken files do not keep a model from being used without them', () => {
  for (const modules of ['[', [null], [3], ['x'], [{ type: 7 }], [{ type: '' }], [{ type: 'a.Pooling' }]])
    expect(pooling({ modules }), JSON.stringify(modules)).toBe('unknown');
  expect(pooling({ config: '{' })).toBe('unknown');
});
