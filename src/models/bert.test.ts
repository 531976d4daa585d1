import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bert } from './bert.ts';
import { ConfigFieldError } from './config-fields.ts';

const config: Readonly<Record<string, unknown>> = JSON.parse(
  readFileSync(new URL('../../tests/goldens/models/tiny/bert/config.json', import.meta.url), 'utf8'),
);

test('a config says its sizes', () => {
  expect(bert.describe(bert.parseConfig(config))).toEqual({
    hidden: 48,
    layers: 3,
    vocabulary: 300,
    maxTokens: 81,
    positions: { first: 0 },
  });
});

test('fields that transformers defaults may be missing', () => {
  const { type_vocab_size: _a, hidden_act: _b, layer_norm_eps: _c, ...rest } = config;
  expect(bert.parseConfig(rest)).toEqual(
    bert.parseConfig({ ...rest, type_vocab_size: 2, hidden_act: 'gelu', layer_norm_eps: 1e-12 }),
  );
});

test.each<[string, unknown]>([
  ['hidden_size', undefined],
  ['hidden_size', 0],
  ['hidden_size', '48'],
  ['num_hidden_layers', undefined],
  ['num_hidden_layers', 1.5],
  ['num_attention_heads', undefined],
  ['num_attention_heads', 0],
  ['num_attention_heads', -4],
  ['num_attention_heads', 5],
  ['intermediate_size', undefined],
  ['intermediate_size', -1],
  ['vocab_size', undefined],
  ['vocab_size', null],
  ['max_position_embeddings', undefined],
  ['max_position_embeddings', false],
  ['type_vocab_size', 0],
  ['hidden_act', 'gelu_10'],
  ['hidden_act', 'toString'],
  ['hidden_act', 3],
  ['layer_norm_eps', 0],
  ['layer_norm_eps', '1e-12'],
  ['layer_norm_eps', 1e300],
  ['position_embedding_type', 'relative_key'],
  ['is_decoder', true],
])('%s = %j is refused by name', (field, value) => {
  const wrong = { ...config, [field]: value };
  expect(() => bert.parseConfig(wrong)).toThrow(ConfigFieldError);
  expect(() => bert.parseConfig(wrong)).toThrow(new RegExp(`Expected ${field} of config\\.json`));
});
