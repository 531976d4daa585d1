import { expect, test } from 'vitest';
import { findRoomProblem, readFreeBytes } from './disk-room.ts';

test('what does not fit is said with both sizes', () => {
  expect(findRoomProblem({ folder: '/cache', neededBytes: 5, freeBytes: 5 })).toBeUndefined();
  expect(findRoomProblem({ folder: '/cache', neededBytes: 15e9, freeBytes: 2.5e9 })).toBe(
    'There is no room in /cache: 15.0 GB are needed, and 2.5 GB are free.',
  );
});

test('a folder that is not there yet has the room of the one it will lie in', async () => {
  expect(await readFreeBytes('/nowhere/at/all')).toBeGreaterThan(0);
});
