import { expect, test } from 'vitest';
import { maxDifference, runOverRows } from '../../../tests/graph/run-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { type ActivationName, activations, isActivationName } from './activation.ts';

/** Abramowitz and Stegun 7.1.26 is good to 1.5e-7. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - tail * Math.exp(-x * x));
}
const gelu = (x: number) => (x / 2) * (1 + erf(x / Math.SQRT2));
const tanhGelu = (x: number) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const silu = (x: number) => x * sigmoid(x);

const reference: Readonly<Record<ActivationName, (x: number) => number>> = {
  gelu,
  gelu_python: gelu,
  gelu_new: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  gelu_accurate: tanhGelu,
  quick_gelu: (x) => x * sigmoid(1.702 * x),
  relu: (x) => Math.max(0, x),
  relu2: (x) => Math.max(0, x) ** 2,
  mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  sigmoid,
  linear: (x) => x,
  silu,
  swish: silu,
  tanh: Math.tanh,
};
const points = Array.from({ length: 41 }, (_, index) => (index - 20) / 4);

test.each(Object.keys(activations).filter(isActivationName))('%s is what transformers computes', async (name) => {
  const { values } = await runOverRows(tempFolder(), [points], [[0]], activations[name]);
  expect(maxDifference(values, points.map(reference[name]))).toBeLessThanOrEqual(1e-6);
});

test('the exact and the tanh form of gelu differ where the tests look', () => {
  expect(maxDifference(points.map(gelu), points.map(tanhGelu))).toBeGreaterThan(1e-4);
});

test('names that are no activation are told', () => {
  expect(['gelu_10', 'toString', '', null, 3].filter(isActivationName)).toEqual([]);
});
