import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { TensorIndex } from '../store/safetensors.ts';
import { ConfigFieldError } from './config-fields.ts';
import { gte, ntkFrequencies } from './gte.ts';
import { findArchitecture } from './registry.ts';

const config: Readonly<Record<string, unknown>> = JSON.parse(
  readFileSync(new URL('../../tests/goldens/models/tiny/gte-new/config.json', import.meta.url), 'utf8'),
);

function indexOf(...names: readonly string[]): TensorIndex {
  return new Map(names.map((name) => [name, { name, type: 'F32', shape: [1], file: '/f', offset: 8, byteLength: 4 }]));
}

test('fixed NTK scaling is a larger theta and slower columns; mixed slows the last by the factor', () => {
  const rope = { theta: 16, size: 8 };
  const plain = [1, 0.5, 0.25, 0.125];
  const fixed = ntkFrequencies(rope, 16); // (16 * 16)^(-j / 4) / 16^(1 / 4)
  for (const [j, expected] of [0.5, 0.125, 0.03125, 0.0078125].entries()) expect(fixed[j]).toBeCloseTo(expected, 9);
  const mixed = ntkFrequencies(rope, 16, 1); // divided by 16^((j + 1) / 4)
  for (const [j, expected] of [0.5, 0.125, 0.03125, 0.0078125].entries()) expect(mixed[j]).toBeCloseTo(expected, 9);
  for (const factor of [1, 0.5]) expect(ntkFrequencies(rope, factor)).toEqual(plain);
});

test('every name of the model is found, with its prefix, and bilingual in small letters is not among them', async () => {
  const gate = 'encoder.layer.0.mlp.up_gate_proj.weight';
  for (const [type, prefix] of [
    ['new', 'new.'],
    ['new', ''],
    ['gte', 'gte.'],
    ['Vietnamese', 'Vietnamese.'],
    ['Bilingual', 'Bilingual.'],
  ] as const)
    expect((await findArchitecture({ model_type: type }, indexOf(`${prefix}${gate}`)))?.name).toBe('gte');
  expect((await findArchitecture({ model_type: 'bilingual' }, indexOf(gate)))?.name).not.toBe('gte');
});

test('of two dialects in one file the original one counts', () => {
  const rope_parameters = { rope_type: 'default', rope_theta: 5 };
  expect(gte.parseConfig({ ...config, rope_parameters })).toEqual(gte.parseConfig(config));
  const { rope_scaling: _, ...rest } = config;
  expect(gte.parseConfig({ ...rest, rope_parameters })).toMatchObject({ rope: { theta: 5 } });
});

test('flags of execution change nothing, also as texts', () => {
  const flags = { unpad_inputs: true, use_memory_efficient_attention: false, logn_attention_scale: 'false' };
  expect(gte.parseConfig({ ...config, ...flags })).toEqual(gte.parseConfig(config));
});

test.each<[string, unknown]>([
  ['position_embedding_type', 'absolute'],
  ['logn_attention_scale', true],
  ['logn_attention_scale', 'true'],
  ['logn_attention_clip1', true],
  ['layer_norm_type', 'group_norm'],
  ['type_vocab_size', -1],
  ['rope_theta', 0],
])('%s = %j is refused by name', (field, value) => {
  const wrong = { ...config, [field]: value };
  expect(() => gte.parseConfig(wrong)).toThrow(ConfigFieldError);
  expect(() => gte.parseConfig(wrong)).toThrow(new RegExp(`Expected ${field} of config\\.json`));
});
