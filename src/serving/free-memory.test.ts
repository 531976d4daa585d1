import { expect, test } from 'vitest';
import { createMemoryFreer } from './free-memory.ts';
import { manualClock } from './manual-clock.ts';

test('memory is freed once, a second after the last model has gone and when nobody waits', () => {
  const clock = manualClock();
  let collected = 0;
  let isBusy = true;
  const freeSoon = createMemoryFreer({ clock, isBusy: () => isBusy, collect: () => collected++ });
  freeSoon();
  clock.pass(900);
  freeSoon();
  clock.pass(900);
  clock.pass(1000);
  isBusy = false;
  clock.pass(900);
  expect(collected).toBe(0);
  clock.pass(200);
  expect(collected).toBe(1);
  clock.pass(10_000);
  expect(collected).toBe(1);
});
