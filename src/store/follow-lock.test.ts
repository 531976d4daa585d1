import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { followLock } from './follow-lock.ts';

const file = (commit: string) =>
  JSON.stringify({
    version: 1,
    models: [{ repository: 'o/n', revision: 'main', commit: commit.repeat(40), files: {} }],
  });

test('a lock file is followed: made, replaced, broken and deleted', () => {
  const path = join(tempFolder(), 'models.lock');
  const problems: string[] = [];
  const lockNow = followLock(path, (error) => problems.push(error.message));
  const commitNow = () => lockNow()?.models[0]?.commit[0];
  expect(commitNow()).toBeUndefined();
  writeFileSync(path, file('a'));
  expect(commitNow()).toBe('a');
  writeFileSync(`${path}.new`, file('b'));
  renameSync(`${path}.new`, path);
  expect(commitNow()).toBe('b');
  writeFileSync(path, '{');
  expect([commitNow(), commitNow(), problems.length]).toEqual(['b', 'b', 1]);
  expect(problems[0]).toContain(path);
  rmSync(path);
  expect(commitNow()).toBeUndefined();
});

test('a file that is bad at the start is an error', () => {
  const path = join(tempFolder(), 'models.lock');
  writeFileSync(path, '{');
  expect(() => followLock(path, () => {})).toThrow(path);
});
