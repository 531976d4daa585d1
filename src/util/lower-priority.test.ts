import { expect, test } from 'vitest';
import { lowerPriority } from './lower-priority.ts';

test.each([
  ['an ordinary process is lowered', 0, 5],
  ['a process that was started with `nice` keeps its priority', 10, 10],
])('%s', (_, before, after) => {
  let niceness = before;
  lowerPriority(5, {
    getPriority: () => niceness,
    setPriority: (first: number, second?: number) => {
      const wanted = second ?? first;
      if (wanted < niceness) throw new Error('EACCES');
      niceness = wanted;
    },
  });
  expect(niceness).toBe(after);
});

test('where the system forbids it, nothing happens', () => {
  const refuse = (): never => {
    throw new Error('EPERM');
  };
  expect(() => lowerPriority(5, { getPriority: () => 0, setPriority: refuse })).not.toThrow();
});
