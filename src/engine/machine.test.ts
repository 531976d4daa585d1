import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { coresOfQuota, readMachine } from './machine.ts';

test.each([
  ['200000 100000\n', 2],
  ['150000 100000', 2],
  ['50000 100000', 1],
  ['max 100000', Infinity],
  ['', Infinity],
  ['garbage', Infinity],
])('a quota of %j is %d cores', (cpuMax, cores) => {
  expect(coresOfQuota(cpuMax)).toBe(cores);
});

test('this machine has at least a core and some memory, and no more cores than the system says', () => {
  const { cores, memoryBytes } = readMachine();
  expect(cores).toBeGreaterThanOrEqual(1);
  expect(cores).toBeLessThanOrEqual(availableParallelism());
  expect(memoryBytes).toBeGreaterThan(1e6);
});
