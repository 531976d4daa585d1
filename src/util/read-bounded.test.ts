import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { readBounded } from './read-bounded.ts';

test('a file is read up to its limit, and refused above it unread', () => {
  const file = join(tempFolder(), 'config.json');
  writeFileSync(file, '{}');
  expect(readBounded(file, 2).toString()).toBe('{}');
  expect(() => readBounded(file, 1)).toThrow(`Expected at most 1 bytes of ${file}, got 2`);
  truncateSync(file, 2 ** 40); // a hole: takes no room on the disk
  expect(() => readBounded(file)).toThrow('got 1099511627776');
});

test('what would wait or never end is refused', () => {
  const folder = tempFolder();
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  expect(() => readBounded(join(folder, 'pipe'))).toThrow('found a pipe, socket or device');
  expect(() => readBounded('/dev/zero')).toThrow('found a pipe, socket or device');
  mkdirSync(join(folder, 'a'));
  expect(() => readBounded(join(folder, 'a'))).toThrow('EISDIR');
  expect(() => readBounded(join(folder, 'b'))).toThrow('ENOENT');
});
