import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { TensorIndex } from '../store/safetensors.ts';
import { ConfigFieldError } from './config-fields.ts';
import { alibiSlopes, jinaBert } from './jina-bert.ts';
import { findArchitecture } from './registry.ts';

const config: Readonly<Record<string, unknown>> = JSON.parse(
  readFileSync(new URL('../../tests/goldens/models/tiny/jina-bert/config.json', import.meta.url), 'utf8'),
);

function indexOf(...names: readonly string[]): TensorIndex {
  return new Map(names.map((name) => [name, { name, type: 'F32', shape: [1], file: '/f', offset: 8, byteLength: 4 }]));
}

test('slopes of a power of two are geometric, of other counts partly those of the next power', () => {
  expect(alibiSlopes(4)).toEqual([0.25, 0.0625, 0.015625, 0.00390625]);
  expect(alibiSlopes(1)).toEqual([2 ** -8]);
  const slopes = [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625];
  const between = [0.707107, 0.353553, 0.176777, 0.088388];
  for (const [head, slope] of [...slopes, ...between].entries()) expect(alibiSlopes(12)[head]).toBeCloseTo(slope, 6);
});

test('each variant is told from BERT by its tensors', async () => {
  const embeddings = 'embeddings.word_embeddings.weight';
  const find = (...names: readonly string[]) =>
    findArchitecture(config, indexOf(embeddings, ...names)).then((found) => found?.name);
  expect(await find('encoder.layer.0.mlp.gated_layers.weight', 'encoder.layer.0.mlp.wo.weight')).toBe('jina-bert');
  expect(await find('encoder.layer.0.attention.self.layer_norm_q.weight')).toBe('jina-bert');
  expect(await find('bert.encoder.layer.0.mlp.gated_layers.weight')).toBe('jina-bert');
  expect(await find('encoder.layer.0.intermediate.dense.weight')).toBe('jina-bert');
  expect(await find('encoder.layer.0.intermediate.dense.weight', 'embeddings.position_embeddings.weight')).toBe('bert');
});

test('a config says its sizes, and a missing feed_forward_type is that of the published models', () => {
  const { hidden, maxTokens, positions } = jinaBert.describe(jinaBert.parseConfig(config));
  expect({ hidden, maxTokens, positions }).toEqual({ hidden: 48, maxTokens: 8192, positions: { first: 0 } });
  const { feed_forward_type: _, ...rest } = config;
  expect(jinaBert.parseConfig(rest)).toEqual(jinaBert.parseConfig({ ...rest, feed_forward_type: 'geglu' }));
});

test.each<[string, unknown]>([
  ['position_embedding_type', undefined],
  ['position_embedding_type', 'absolute'],
  ['feed_forward_type', 'swiglu'],
  ['feed_forward_type', 'toString'],
  ['is_decoder', true],
  ['num_attention_heads', 5],
  ['hidden_size', '48'],
])('%s = %j is refused by name', (field, value) => {
  const wrong = { ...config, [field]: value };
  expect(() => jinaBert.parseConfig(wrong)).toThrow(ConfigFieldError);
  expect(() => jinaBert.parseConfig(wrong)).toThrow(new RegExp(`Expected ${field} of config\\.json`));
});
