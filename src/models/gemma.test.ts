import { expect, test } from 'vitest';
import { readTinyConfig } from '../../tests/graph/tiny-config.ts';
import { ConfigFieldError } from './config-fields.ts';
import { gemma2 } from './gemma2.ts';
import { gemma3 } from './gemma3.ts';

const configs = { gemma2: readTinyConfig('gemma2'), gemma3: readTinyConfig('embeddinggemma') };
const families = { gemma2, gemma3 };

function parse(name: keyof typeof families, changes: Readonly<Record<string, unknown>> = {}) {
  return families[name].parseConfig({ ...configs[name], ...changes });
}

test('hidden_act is not read, hidden_activation is', () => {
  expect(configs.gemma2['hidden_act']).toBe('gelu');
  expect(parse('gemma2').activation).toBe('gelu_pytorch_tanh');
  expect(parse('gemma2', { hidden_activation: undefined }).activation).toBe('gelu_pytorch_tanh');
});

test('Gemma 2 caps its scores at 50 by default, and not at all for null', () => {
  expect(parse('gemma2').softcap).toBe(3);
  expect(parse('gemma2', { attn_logit_softcapping: undefined }).softcap).toBe(50);
  expect(parse('gemma2', { attn_logit_softcapping: null }).softcap).toBeUndefined();
});

test('half of the window of EmbeddingGemma lies to each side, itself apart', () => {
  expect(parse('gemma3', { sliding_window: 512 }).window).toBe(257); // |i - j| <= 256
  expect(parse('gemma3', { sliding_window: 512, use_bidirectional_attention: false }).window).toBe(512);
});

test('both dialects of Gemma 3 say the same, and only layers that see all are scaled', () => {
  const scaling = { rope_type: 'linear', factor: 8 };
  const legacy = parse('gemma3', { rope_scaling: scaling });
  const { rope_theta: _a, rope_local_base_freq: _b, sliding_window_pattern: _c, ...rest } = configs.gemma3;
  const current = gemma3.parseConfig({
    ...rest,
    layer_types: ['sliding_attention', 'sliding_attention', 'full_attention', 'sliding_attention'],
    rope_parameters: {
      full_attention: { ...scaling, rope_theta: 1_000_000 },
      sliding_attention: { rope_type: 'default', rope_theta: 10_000 },
    },
  });
  expect(current).toEqual(legacy);
  expect(legacy.rope.sliding_attention).toEqual(parse('gemma3').rope.sliding_attention);
  expect(legacy.rope.full_attention).not.toEqual(parse('gemma3').rope.full_attention);
});

test.each<[keyof typeof families, string, unknown]>([
  ['gemma2', 'use_bidirectional_attention', true],
  ['gemma2', 'is_causal', false],
  ['gemma2', 'query_pre_attn_scalar', 0],
  ['gemma2', 'attn_logit_softcapping', -50],
  ['gemma3', 'head_dim', 'x'],
  ['gemma3', 'num_hidden_layers', 1e9],
  ['gemma3', 'sliding_window_pattern', 0],
  ['gemma3', 'is_causal', false],
])('%s: %s = %j is refused by name', (name, field, value) => {
  expect(() => parse(name, { [field]: value })).toThrow(ConfigFieldError);
  expect(() => parse(name, { [field]: value })).toThrow(new RegExp(`Expected ${field} of config\\.json`));
});
