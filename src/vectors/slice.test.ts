import { expect, test } from 'vitest';
import { sliceVectors } from './slice.ts';

const vectors = { data: Float32Array.of(3, 4, 12, 0, 0, 5), rows: 2, dim: 3 };

test('a slice keeps the first values of every row and their length', () => {
  expect(sliceVectors(vectors, { dimensions: 2 })).toEqual({ data: Float32Array.of(3, 4, 0, 0), rows: 2, dim: 2 });
});

test('renormalised slices have unit length, and a slice of zeros stays zeros', () => {
  const { data } = sliceVectors(vectors, { dimensions: 2, renormalize: true });
  expect([...data]).toEqual([Math.fround(0.6), Math.fround(0.8), 0, 0]);
});

test('without dimensions, or with all of them, the vectors are returned as they are', () => {
  expect(sliceVectors(vectors, { dimensions: undefined, renormalize: true })).toBe(vectors);
  expect(sliceVectors(vectors, { dimensions: 3, renormalize: true })).toBe(vectors);
});

test('more dimensions than the model has are refused in the words of OpenAI', () => {
  expect(() => sliceVectors(vectors, { dimensions: 4 })).toThrow(
    "Invalid value for 'dimensions' = 4. Must be less than or equal to 3.",
  );
});
