import { expect, test } from 'vitest';
import { toDuration } from './to-duration.ts';

test.each([
  [0, '0ms'],
  [-5, '0ms'],
  [11.2, '12ms'],
  [1000, '1s'],
  [1500, '1.5s'],
  [59_999.5, '1m0s'],
  [360_000, '6m0s'],
  [61_250, '1m1.25s'],
])('%d ms is %s', (ms, text) => {
  expect(toDuration(ms)).toBe(text);
});
