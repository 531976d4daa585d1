import { expect, test } from 'vitest';
import { linearScale, logScale } from './scale.ts';

test.each([
  [134, [0, 50, 100, 150]],
  [0.8, [0, 0.2, 0.4, 0.6, 0.8]],
  [5, [0, 1, 2, 3, 4, 5]],
  [0, [0, 0.2]],
])('a scale up to %d has round ticks from 0', (max, ticks) => {
  expect(linearScale({ max, pixels: [0, 1] }).ticks).toEqual(ticks);
});

test('a linear scale may run upwards, as in an image', () => {
  const { toPixel } = linearScale({ max: 100, pixels: [200, 0] });
  expect([0, 50, 100].map(toPixel)).toEqual([200, 100, 0]);
});

test('powers of two lie at equal distances on a logarithmic scale', () => {
  const scale = logScale([4, 1, 2, 2], [0, 100]);
  expect(scale.ticks).toEqual([1, 2, 4]);
  expect(scale.ticks.map(scale.toPixel)).toEqual([0, 50, 100]);
});

test('a single value is in the middle', () => {
  expect(logScale([7], [0, 100]).toPixel(7)).toBe(50);
});
