import { expect, test } from 'vitest';
import { maxOpenFiles } from './open-files.ts';

test('the soft limit of open files is read, and none where there is none', () => {
  expect(
    maxOpenFiles(() => 'Limit  Soft Limit  Hard Limit  Units\nMax open files            1024     4096     files\n'),
  ).toBe(1024);
  expect(maxOpenFiles(() => 'Max open files            unlimited     unlimited     files\n')).toBeUndefined();
  expect(
    maxOpenFiles(() => {
      throw new Error('no /proc');
    }),
  ).toBeUndefined();
});
