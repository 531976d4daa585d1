import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseResources } from './resources.ts';

const GB = 1e9;
const machine = { cores: 8, memoryBytes: 32 * GB };

test('a small model gets one runner of one thread per core', () => {
  expect(chooseResources(0.09 * GB, machine)).toEqual({ replicas: 8, threads: 1 });
});

test('a large model gets one runner with every thread', () => {
  expect(chooseResources(2.2 * GB, machine)).toEqual({ replicas: 1, threads: 8 });
});

test('replicas are bounded by half of the memory', () => {
  expect(chooseResources(0.5 * GB, { cores: 8, memoryBytes: 2 * GB })).toEqual({ replicas: 2, threads: 4 });
});

test('one wish decides the other; both are taken as they are', () => {
  expect(chooseResources(GB, machine, { replicas: 2 })).toEqual({ replicas: 2, threads: 4 });
  expect(chooseResources(GB, machine, { threads: 4 })).toEqual({ replicas: 2, threads: 4 });
  expect(chooseResources(GB, machine, { replicas: 3, threads: 5 })).toEqual({ replicas: 3, threads: 5 });
});

test('without wishes no more threads run than there are cores', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 256 }),
      fc.double({ min: 1e3, max: 1e11, noNaN: true }),
      fc.double({ min: 1e8, max: 1e12, noNaN: true }),
      (cores, weightBytes, memoryBytes) => {
        const { replicas, threads } = chooseResources(weightBytes, { cores, memoryBytes });
        expect(replicas).toBeGreaterThanOrEqual(1);
        expect(threads).toBeGreaterThanOrEqual(1);
        expect(replicas * threads).toBeLessThanOrEqual(cores);
      },
    ),
  );
});
