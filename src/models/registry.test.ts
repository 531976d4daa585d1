import { expect, test } from 'vitest';
import type { TensorIndex } from '../store/safetensors.ts';
import { bert } from './bert.ts';
import { ConfigFieldError } from './config-fields.ts';
import { type ArchitectureRow, architectures, findArchitecture, modelTypeOf } from './registry.ts';

function indexOf(...names: readonly string[]): TensorIndex {
  return new Map(names.map((name) => [name, { name, type: 'F32', shape: [1], file: '/f', offset: 8, byteLength: 4 }]));
}

const nameFor = async (...args: Parameters<typeof findArchitecture>) => (await findArchitecture(...args))?.name;

const bertConfig = { model_type: 'bert' };

test('BERT is told by its position table, with and without the prefix', async () => {
  for (const prefix of ['', 'bert.']) {
    const found = await findArchitecture(bertConfig, indexOf(`${prefix}embeddings.position_embeddings.weight`));
    expect(found?.name).toBe('bert');
    expect([...(found?.tensors.keys() ?? [])]).toEqual(['embeddings.position_embeddings.weight']);
  }
});

test('relatives that also say model_type bert are not taken for it', async () => {
  expect(await findArchitecture(bertConfig, indexOf('embeddings.word_embeddings.weight'))).toBeUndefined();
  const jina = indexOf('embeddings.position_embeddings.weight', 'encoder.layer.0.mlp.wo.weight');
  expect(await findArchitecture(bertConfig, jina)).toBeUndefined();
});

test('XLM-RoBERTa is told by its position table from rotary relatives of that name', async () => {
  const config = { model_type: 'xlm-roberta' };
  for (const prefix of ['', 'roberta.'])
    expect(await nameFor(config, indexOf(`${prefix}embeddings.position_embeddings.weight`))).toBe('roberta');
  const rotary = indexOf('roberta.embeddings.word_embeddings.weight', 'roberta.emb_ln.weight');
  expect(await nameFor(config, rotary)).not.toBe('roberta');
});

test('another model_type, or none, finds nothing', async () => {
  const tensors = indexOf('embeddings.position_embeddings.weight');
  for (const config of [{ model_type: 'Bert' }, {}, null, 'bert', ['bert'], { model_type: ['bert'] }]) {
    expect(await findArchitecture(config, tensors)).toBeUndefined();
  }
  expect([modelTypeOf({ model_type: 'x' }), modelTypeOf({}), modelTypeOf(null)]).toEqual(['x', 'missing', 'missing']);
});

test('the first row that matches wins, and each sees the tensors by its own names', async () => {
  const seen: string[][] = [];
  const row = (prefix: string, isMatch: boolean): ArchitectureRow => ({
    modelTypes: ['bert'],
    load: async () => ({
      ...bert,
      prefixes: [prefix],
      matches: (_config, tensors) => (seen.push([...tensors.keys()]), isMatch),
    }),
  });
  const table = { a: row('a.', false), b: row('b.', true), c: row('c.', true) };
  expect(await nameFor(bertConfig, indexOf('a.x', 'b.x'), table)).toBe('b');
  expect(seen).toEqual([
    ['x', 'b.x'],
    ['a.x', 'x'],
  ]);
});

test.each(Object.entries(architectures))(
  '%s keeps the contract of an architecture',
  async (_name, { modelTypes, load }) => {
    const architecture = await load();
    expect(modelTypes.length).toBeGreaterThan(0);
    for (const prefix of architecture.prefixes) expect(prefix).toMatch(/^[\w-]+\.$/);
    for (const json of [null, [], 'text', {}, { hidden_size: -1 }])
      expect(() => architecture.parseConfig(json)).toThrow(ConfigFieldError);
  },
);

test('a model_type as long as a file is cut', () => {
  expect(modelTypeOf({ model_type: 'a'.repeat(100_000) })).toBe('a'.repeat(80));
});
