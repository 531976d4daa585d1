import { expect, test } from 'vitest';
import { readTinyConfig } from '../../tests/graph/tiny-config.ts';
import { ConfigFieldError } from './config-fields.ts';
import { t5 } from './t5.ts';

const config = readTinyConfig('t5');

test.each([
  ['relu', 'relu', false],
  ['gated-gelu', 'gelu_new', true],
  ['gated-silu', 'silu', true],
  ['gelu', 'gelu', false],
])('feed_forward_proj %s activates with %s', (form, activation, isGated) => {
  expect(t5.parseConfig({ ...config, feed_forward_proj: form })).toMatchObject({ activation, isGated });
});

test('a config without n_positions takes the 512 tokens it was trained with', () => {
  expect(t5.describe(t5.parseConfig({ ...config, n_positions: undefined })).maxTokens).toBe(512);
});

test.each<[string, unknown]>([
  ['d_model', undefined],
  ['d_kv', 0],
  ['num_heads', '3'],
  ['relative_attention_num_buckets', 6],
  ['relative_attention_max_distance', 8],
  ['relative_attention_max_distance', 1e9],
  ['feed_forward_proj', 'gated-gated-gelu'],
  ['layer_norm_epsilon', 0],
])('%s = %j is refused by name', (field, value) => {
  const wrong = { ...config, [field]: value };
  expect(() => t5.parseConfig(wrong)).toThrow(ConfigFieldError);
  expect(() => t5.parseConfig(wrong)).toThrow(new RegExp(`Expected ${field} of config\\.json`));
});
