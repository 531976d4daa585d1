import { expect, test } from 'vitest';
import { cosine, loadGoldens, maxAbsDifference, tinyModels, type Golden } from './goldens.ts';

const minilm = loadGoldens('all-MiniLM-L6-v2', { weights: 'f16' });

test('every golden vector has unit length and its input has tokens', () => {
  const sets = [minilm, ...tinyModels.map((model) => loadGoldens(`tiny-${model}`))];
  for (const golden of sets.flat()) {
    expect(cosine(golden.vector, golden.vector)).toBeCloseTo(1, 9);
    expect(golden.vector.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 5);
    expect(golden.ids.length).toBeGreaterThan(0);
  }
});

test('F16 weights stay near the official F32 weights', () => {
  const official = loadGoldens('all-MiniLM-L6-v2', { weights: 'f32' });
  const differences = minilm.map((golden, row) => maxAbsDifference(golden.vector, official[row]!.vector));
  expect(Math.max(...differences)).toBeLessThan(5e-4);
  expect(Math.min(...differences)).toBeGreaterThan(0);
});

test('the vector of "What is Deep Learning?" points where the snapshot of text-embeddings-inference does', () => {
  const snapshot = [-0.5906, -0.25252, 0.14972, 0.05488, -0.11783]; // not normalised
  const { vector } = minilm.find(({ text }) => text === 'What is Deep Learning?')!;
  const norm = snapshot[0]! / vector[0]!;
  for (const [column, value] of snapshot.entries()) expect(vector[column]! * norm).toBeCloseTo(value, 2);
});

test('the golden texts reach every position of the model and one token', () => {
  const lengths = minilm.filter(({ fullTokens }) => fullTokens === undefined).map(({ ids }) => ids.length);
  expect(Math.max(...lengths)).toBe(512);
  expect(lengths).toContain(256);
  expect(lengths).toContain(257);
  expect(lengths).toContain(3);
  expect(loadGoldens('tiny-bert').map(({ ids }: Golden) => ids.length)).toContain(1);
});

test('a difference that is not a number is infinite', () => {
  expect(maxAbsDifference(Float32Array.of(1, NaN), Float32Array.of(1, 2))).toBe(Infinity);
  expect(maxAbsDifference(Float32Array.of(1), Float32Array.of(1, 2))).toBe(Infinity);
  expect(maxAbsDifference(Float32Array.of(1, 2), Float32Array.of(1, 2.5))).toBe(0.5);
});
