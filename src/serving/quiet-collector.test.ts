import { expect, test } from 'vitest';
import { manualClock } from '../../tests/serving/manual-clock.ts';
import { createQuietCollector } from './quiet-collector.ts';

function setUp({ keepsBytes = 50e6 } = {}) {
  const clock = manualClock();
  const state = { bytes: 50e6, collected: 0 };
  const collector = createQuietCollector({
    clock,
    collect: () => {
      state.collected++;
      state.bytes = keepsBytes;
    },
    residentBytes: () => state.bytes,
  });
  const work = (grownToBytes: number): void => {
    collector.begin();
    state.bytes = grownToBytes;
    collector.end();
  };
  return { clock, state, collector, work };
}

test('garbage is collected once after work has grown memory and two seconds were quiet, each time anew', () => {
  const { clock, state, work } = setUp();
  for (const round of [1, 2, 3]) {
    work(80e6);
    clock.pass(1999);
    expect(state.collected).toBe(round - 1);
    clock.pass(1);
    expect(state.collected).toBe(round);
    clock.pass(60_000);
    expect(state.collected).toBe(round);
  }
});

test('work in between puts it off, and so does work that goes on', () => {
  const { clock, state, work, collector } = setUp();
  work(80e6);
  clock.pass(1500);
  work(80e6);
  clock.pass(1500);
  expect(state.collected).toBe(0);
  collector.begin();
  clock.pass(60_000);
  expect(state.collected).toBe(0);
  collector.end();
  clock.pass(2000);
  expect(state.collected).toBe(1);
});

test('memory that has hardly grown is left alone, but many small steps are one large one', () => {
  const { clock, state, work } = setUp();
  work(65e6);
  clock.pass(2000);
  expect(state.collected).toBe(0);
  work(67e6);
  clock.pass(2000);
  expect(state.collected).toBe(1);
});

test('growth that a collection could not undo is not tried again until there is more', () => {
  const { clock, state, work } = setUp({ keepsBytes: 78e6 });
  work(80e6);
  clock.pass(2000);
  expect(state.collected).toBe(1);
  work(80e6);
  clock.pass(2000);
  expect(state.collected).toBe(1);
  work(95e6);
  clock.pass(2000);
  expect(state.collected).toBe(2);
});

test('a system that cannot say how much memory is held stops no work, and no timer', () => {
  const clock = manualClock();
  let collected = 0;
  const collector = createQuietCollector({
    clock,
    collect: () => collected++,
    residentBytes: () => {
      throw new Error('EMFILE: too many open files, uv_resident_set_memory');
    },
  });
  collector.begin();
  collector.end();
  clock.pass(2000);
  expect(collected).toBe(0);
});
