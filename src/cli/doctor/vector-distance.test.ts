import { expect, test } from 'vitest';
import { cosine, maxAbsDifference } from './vector-distance.ts';

test('the largest difference of any number, and infinite where there is nothing to compare', () => {
  expect(maxAbsDifference([1, 2, 3], [1, 2.5, 2])).toBe(1);
  expect(maxAbsDifference([1], [1, 2])).toBe(Infinity);
  expect(maxAbsDifference([1, NaN, 1], [1, 1, 1])).toBe(Infinity);
});

test('the cosine is of directions, and 0 for other lengths', () => {
  expect(cosine([1, 0], [5, 0])).toBe(1);
  expect(cosine([1, 0], [0, 2])).toBe(0);
  expect(cosine([1], [1, 2])).toBe(0);
});
