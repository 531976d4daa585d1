import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ConfigFieldError } from './config-fields.ts';
import { parseNomicConfig } from './nomic-config.ts';

const configOf = (name: string): Readonly<Record<string, unknown>> =>
  JSON.parse(readFileSync(new URL(`../../tests/goldens/models/tiny/${name}/config.json`, import.meta.url), 'utf8'));
const original = configOf('nomic-bert');
const native = configOf('nomic-bert-hf');
const mixture = configOf('nomic-bert-moe');

test('the names of GPT-2 and those of BERT say the same', () => {
  const { n_embd, n_layer, n_head, n_inner: _, n_positions, layer_norm_epsilon, ...rest } = original;
  const renamed = {
    ...rest,
    hidden_size: n_embd,
    num_hidden_layers: n_layer,
    num_attention_heads: n_head,
    intermediate_size: 256,
    max_position_embeddings: n_positions,
    layer_norm_eps: layer_norm_epsilon,
  };
  expect(parseNomicConfig(renamed)).toEqual(parseNomicConfig(original));
});

test('sizes of the original code are rounded up as it does, those of transformers are not', () => {
  expect(parseNomicConfig(original)).toMatchObject({ intermediate: 256, vocabulary: 120 });
  expect(parseNomicConfig({ ...original, n_inner: null, activation_function: 'gelu' }).intermediate).toBe(96);
  expect(parseNomicConfig(native).intermediate).toBe(72);
});

test('a factor stretches positions beyond the trained ones, in either dialect; null does not', () => {
  expect(parseNomicConfig(original).rope.stretch).toBeUndefined();
  expect(parseNomicConfig({ ...original, rotary_scaling_factor: 2 }).rope.stretch).toEqual({
    factor: 2,
    trained: 2048,
  });
  const rope_parameters = { rope_type: 'dynamic', factor: 4, rope_theta: 1000 };
  expect(parseNomicConfig({ ...native, max_position_embeddings: 2048, rope_parameters }).rope).toMatchObject({
    theta: 1000,
    stretch: { factor: 4, trained: 2048 },
  });
});

test('of two dialects in one file the original one counts', () => {
  const rope_parameters = { rope_type: 'dynamic', factor: 4, rope_theta: 5 };
  expect(parseNomicConfig({ ...original, rope_parameters })).toEqual(parseNomicConfig(original));
});

test.each<[string, unknown]>([
  ['prenorm', true],
  ['causal', true],
  ['use_rms_norm', true],
  ['rotary_emb_fraction', 0.5],
  ['rotary_emb_interleaved', true],
  ['rotary_emb_scale_base', 512],
  ['activation_function', 'gelu_new'],
  ['activation_function', 'toString'],
  ['n_head', 5],
  ['n_embd', 0],
  ['qkv_proj_bias', 'yes'],
  ['rotary_scaling_factor', -1],
])('%s = %j is refused by name', (field, value) => {
  const wrong = { ...original, [field]: value };
  expect(() => parseNomicConfig(wrong)).toThrow(ConfigFieldError);
  expect(() => parseNomicConfig(wrong)).toThrow(new RegExp(`Expected ${field} of config\\.json`));
});

test.each<[string, unknown]>([
  ['moe_top_k', 5],
  ['num_experts', 0],
  ['num_experts', undefined],
  ['num_shared_experts', 1],
  ['expert_choice_router', true],
  ['activation_function', 'swiglu'],
])('%s = %j of a model with experts is refused by name', (field, value) => {
  expect(() => parseNomicConfig({ ...mixture, [field]: value })).toThrow(new RegExp(`Expected ${field} of config`));
});

test('scalings and heads that are not built are refused', () => {
  const yarn = { ...native, rope_parameters: { rope_type: 'yarn', factor: 2, rope_theta: 1000 } };
  expect(() => parseNomicConfig(yarn)).toThrow('got "yarn"');
  for (const head_dim of [7, 2, 2 ** 40]) expect(() => parseNomicConfig({ ...native, head_dim })).toThrow(/heads/);
});
