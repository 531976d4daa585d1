import { expect, test } from 'vitest';
import { readTinyConfig } from '../../tests/graph/tiny-config.ts';
import { ConfigFieldError } from './config-fields.ts';
import { eurobert } from './eurobert.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';

const configs = {
  llama: readTinyConfig('llama'),
  mistral: readTinyConfig('mistral'),
  qwen2: readTinyConfig('qwen2'),
  qwen3: readTinyConfig('qwen3'),
  eurobert: readTinyConfig('eurobert'),
};
const families = { llama, mistral, qwen2, qwen3, eurobert };
const names = ['llama', 'mistral', 'qwen2', 'qwen3', 'eurobert'] as const;

/** What a family makes of its tiny config with some fields changed. */
function parse(name: keyof typeof families, changes: Readonly<Record<string, unknown>> = {}) {
  return families[name].parseConfig({ ...configs[name], ...changes });
}

test.each(names)('%s: both dialects of a config say the same', (name) => {
  const { rope_theta: theta, rope_scaling: scaling, ...rest } = configs[name];
  const parameters = { rope_type: 'default', ...(scaling as object | null), rope_theta: theta };
  expect(families[name].parseConfig({ ...rest, rope_parameters: parameters })).toEqual(parse(name));
});

test('a config may say that tokens see both ways', () => {
  for (const name of ['llama', 'mistral', 'qwen2', 'qwen3'] as const) {
    expect(parse(name).isCausal, name).toBe(true);
    expect(parse(name, { is_causal: false }).isCausal, name).toBe(false);
    expect(parse(name, { use_bidirectional_attention: true }).isCausal, name).toBe(false);
  }
  expect(parse('llama', { model_type: 'llama_bidirec' }).isCausal).toBe(false);
  expect(parse('qwen2', { auto_map: { AutoModel: 'a/b--modeling_qwen.Qwen2Model' } }).isCausal).toBe(false);
  expect(parse('qwen2', { auto_map: { AutoModel: 'modeling_other.Qwen2Model' } }).isCausal).toBe(true);
  expect(parse('eurobert').isCausal).toBe(false);
});

test('Mistral has its window in every layer, 4096 by default and none for null', () => {
  expect(parse('mistral').windows).toEqual([24, 24, 24]);
  expect(parse('mistral', { sliding_window: undefined }).windows).toEqual([4096, 4096, 4096]);
  expect(parse('mistral', { sliding_window: null }).windows).toEqual([undefined, undefined, undefined]);
});

test('Qwen has windows only where it says so, in its upper layers or those it names', () => {
  expect(parse('qwen2').windows).toEqual([undefined, 12, 12]);
  expect(parse('qwen2', { use_sliding_window: false }).windows).toEqual([undefined, undefined, undefined]);
  expect(parse('qwen2', { sliding_window: null }).windows).toEqual([undefined, undefined, undefined]);
  expect(parse('qwen2', { max_window_layers: 3 }).windows).toEqual([undefined, undefined, undefined]);
  const types = ['sliding_attention', 'full_attention', 'full_attention'];
  expect(parse('qwen2', { layer_types: types }).windows).toEqual([12, undefined, undefined]);
  expect(parse('qwen2', { is_causal: false }).windows).toEqual([undefined, 13, 13]); // |i - j| <= 12
});

test('a head has head_dim columns, else what the hidden size leaves, in Qwen3 128', () => {
  expect(parse('mistral').headSize).toBe(8);
  expect(parse('llama', { head_dim: undefined }).headSize).toBe(8);
  expect(parse('qwen3', { head_dim: undefined }).headSize).toBe(128);
  expect(parse('llama', { num_key_value_heads: undefined }).keyHeads).toBe(4);
});

test('heads wider than any weight could be are refused before their frequencies are computed', () => {
  expect(() => parse('qwen3', { head_dim: 2e9 })).toThrow(ConfigFieldError);
  expect(() => parse('qwen3', { head_dim: 2e9 })).toThrow('Expected heads of at most 65536 columns');
});

test.each<[keyof typeof families, string, unknown]>([
  ['llama', 'hidden_size', undefined],
  ['llama', 'num_hidden_layers', 0],
  ['llama', 'num_hidden_layers', 1e9],
  ['llama', 'num_key_value_heads', 3],
  ['llama', 'attention_bias', 'yes'],
  ['qwen2', 'num_attention_heads', 5],
  ['qwen2', 'layer_types', 'full_attention'],
  ['qwen2', 'max_window_layers', -1],
  ['mistral', 'sliding_window', 0],
  ['mistral', 'rms_norm_eps', -1],
  ['qwen3', 'head_dim', 0],
  ['qwen3', 'hidden_act', 'gelu_10'],
  ['eurobert', 'max_position_embeddings', undefined],
])('%s: %s = %j is refused by name', (name, field, value) => {
  expect(() => parse(name, { [field]: value })).toThrow(ConfigFieldError);
  expect(() => parse(name, { [field]: value })).toThrow(new RegExp(`Expected ${field} of config\\.json`));
});
