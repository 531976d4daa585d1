import { expect, test } from 'vitest';
import { ConfigFieldError, ConfigFields } from './config-fields.ts';
import { readRope, rotaryFrequencies } from './rope.ts';

const fallbacks = { size: 8, maxPositions: 4096, theta: 10_000 };
const of = (json: object, layerType?: string) =>
  rotaryFrequencies(
    readRope(new ConfigFields(json), { ...fallbacks, ...(layerType === undefined ? {} : { layerType }) }),
  );

function expectClose(got: readonly number[], expected: readonly number[]): void {
  expect(got).toHaveLength(expected.length);
  for (const [index, value] of expected.entries()) expect(Math.abs(got[index]! / value - 1)).toBeLessThan(1e-6);
}

test('without scaling the frequencies are powers of theta, from either dialect', () => {
  for (const json of [
    {},
    { rope_theta: 10_000 },
    { rope_scaling: null },
    { rope_parameters: { rope_theta: 10_000, rope_type: 'default' } },
  ])
    expectClose(of(json).inverseFrequencies, [1, 0.1, 0.01, 0.001]);
});

test('each kind of layer may have its own', () => {
  const json = { rope_parameters: { full: { rope_theta: 16, rope_type: 'default' }, local: { rope_theta: 10_000 } } };
  expectClose(of(json, 'full').inverseFrequencies, [1, 0.5, 0.25, 0.125]);
  expectClose(of(json, 'local').inverseFrequencies, [1, 0.1, 0.01, 0.001]);
});

/** Computed by transformers 5.23 (`ROPE_INIT_FUNCTIONS`) for the same parameters. */
const reference = [
  { scaling: { type: 'linear', factor: 4 }, expected: [0.25, 0.0250000004, 0.00249999994, 0.000250000012], scale: 1 },
  {
    scaling: {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 1024,
    },
    expected: [1.0, 0.100000001, 0.00308676064, 0.000125000006],
    scale: 1,
  },
  {
    scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 1024 },
    expected: [1.0, 0.0749999955, 0.00499999989, 0.000250000012],
    scale: 1.138629436111989,
  },
  {
    scaling: {
      rope_type: 'yarn',
      factor: 8,
      original_max_position_embeddings: 512,
      beta_fast: 16,
      beta_slow: 2,
      mscale: 1,
      mscale_all_dim: 0.5,
      truncate: false,
    },
    expected: [1.0, 0.0716084614, 0.00124999997, 0.000125000006],
    scale: 1.094179988101349,
  },
];

test.each(reference)(
  'scaling $scaling.rope_type $scaling.type is that of transformers',
  ({ scaling, expected, scale }) => {
    for (const json of [
      { rope_theta: 10_000, rope_scaling: scaling },
      { rope_parameters: { rope_theta: 10_000, ...scaling } },
    ]) {
      const { inverseFrequencies, attentionScale } = of(json);
      expectClose(inverseFrequencies, expected);
      expect(attentionScale).toBeCloseTo(scale, 6);
    }
  },
);

test('a scaling that is not known, or lacks a field, is refused by name', () => {
  expect(() => of({ rope_scaling: { type: 'longrope', factor: 2 } })).toThrow(ConfigFieldError);
  expect(() => of({ rope_scaling: { type: 'longrope' } })).toThrow('got "longrope"');
  expect(() => of({ rope_scaling: { type: 'toString' } })).toThrow(ConfigFieldError);
  expect(() => of({ rope_scaling: { type: 'linear' } })).toThrow('Expected factor of rope_scaling of config.json');
  expect(() => of({ rope_scaling: 'ntk' })).toThrow('Expected rope_scaling of config.json to hold an object.');
});
