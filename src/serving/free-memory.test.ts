import { expect, test } from 'vitest';
import { createMemoryFreer } from './free-memory.ts';
import { manualClock } from '../../tests/serving/manual-clock.ts';

test('memory is freed after models have gone, once a second at most', () => {
  const clock = manualClock();
  let collected = 0;
  const freeSoon = createMemoryFreer(clock, () => collected++);
  freeSoon();
  clock.pass(900);
  freeSoon();
  expect(collected).toBe(0);
  clock.pass(100);
  expect(collected).toBe(1);
  clock.pass(10_000);
  expect(collected).toBe(1);
  freeSoon();
  clock.pass(1000);
  expect(collected).toBe(2);
});
