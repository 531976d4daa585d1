import { expect, test } from 'vitest';
import { TokenEstimate } from './token-estimate.ts';

test('begins with what English has, and learns what others have', () => {
  const estimate = new TokenEstimate();
  expect(estimate.of(4000)).toBe(1000);
  for (let i = 0; i < 200; i++) estimate.learn(1000, 600);
  expect(estimate.of(1000)).toBeCloseTo(600, -1);
});

test('one strange request changes little, and an empty one nothing', () => {
  const estimate = new TokenEstimate();
  estimate.learn(0, 3);
  expect(estimate.of(1000)).toBe(250);
  estimate.learn(1_000_000, 1);
  expect(estimate.of(1000)).toBeGreaterThan(230);
});
