import { expect, test } from 'vitest';
import { readTinyConfig } from '../../tests/graph/tiny-config.ts';
import { ConfigFieldError } from './config-fields.ts';
import { modernbert } from './modernbert.ts';

const config = readTinyConfig('modernbert');

test('both dialects of a config say the same', () => {
  const { global_attn_every_n_layers: _a, global_rope_theta: _b, local_rope_theta: _c, ...rest } = config;
  const current = {
    ...rest,
    layer_types: ['full_attention', 'sliding_attention', 'sliding_attention', 'full_attention'],
    rope_parameters: {
      full_attention: { rope_type: 'default', rope_theta: 160_000 },
      sliding_attention: { rope_type: 'default', rope_theta: 10_000 },
    },
  };
  expect(modernbert.parseConfig(current)).toEqual(modernbert.parseConfig(config));
});

test('a local theta of null is the global one', () => {
  const withoutLocal = modernbert.parseConfig({ ...config, global_rope_theta: 777, local_rope_theta: null });
  expect(withoutLocal).toEqual(modernbert.parseConfig({ ...config, global_rope_theta: 777, local_rope_theta: 777 }));
});

test.each<[string, unknown]>([
  ['hidden_size', undefined],
  ['num_attention_heads', 5],
  ['num_hidden_layers', 1e9],
  ['intermediate_size', 0],
  ['vocab_size', '128'],
  ['max_position_embeddings', null],
  ['hidden_activation', 'gelu_10'],
  ['norm_eps', 0],
  ['norm_bias', 1],
  ['local_attention', -1],
  ['global_attn_every_n_layers', 0],
  ['global_rope_theta', 'large'],
  ['layer_types', ['full_attention']],
  ['layer_types', Array.from({ length: 4 }, () => 'linear_attention')],
])('%s = %j is refused by name', (field, value) => {
  const wrong = { ...config, [field]: value };
  expect(() => modernbert.parseConfig(wrong)).toThrow(ConfigFieldError);
  expect(() => modernbert.parseConfig(wrong)).toThrow(new RegExp(`Expected ${field} of config\\.json`));
});
