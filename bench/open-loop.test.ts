import { expect, test } from 'vitest';
import { poissonArrivals } from './open-loop.ts';

test('arrivals come in order, at the mean rate, within the time', () => {
  const arrivals = poissonArrivals({ perSecond: 100, seconds: 100, seed: 1 });
  expect(arrivals.length / 10_000).toBeCloseTo(1, 1);
  expect(arrivals.toSorted((a, b) => a - b)).toEqual(arrivals);
  expect(arrivals.at(-1)).toBeLessThan(100_000);
});

test('the gaps spread as those of independent clients do', () => {
  const arrivals = poissonArrivals({ perSecond: 100, seconds: 100, seed: 1 });
  const gaps = arrivals.slice(1).map((moment, i) => moment - (arrivals[i] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
});
