import { expect, test } from 'vitest';
import { createFakeFiles } from '../../tests/util/fake-files.ts';
import type { Allowlist } from './allowlist.ts';
import { readAllowlist, watchAllowlist } from './watch-allowlist.ts';

const path = '/etc/embeddings/models.txt';

function setUp(text: string, options = {}) {
  const fake = createFakeFiles({ [path]: text }, options);
  const changes: Allowlist[] = [];
  return {
    ...fake,
    changes,
    open: () => watchAllowlist({ path, onChange: (list) => changes.push(list), ...fake }),
    write: (next: string | undefined, how = {}) => fake.write(path, next, how),
    touch: () => fake.touch('/etc/embeddings'),
    isWatchClosed: () => fake.watched().length === 0,
  };
}

const names = (list: Allowlist | undefined): string[] | undefined => list?.entries.map(({ name }) => name);

test('a change of the folder is read once after the writes have settled', () => {
  const { open, write, advance, changes } = setUp('a/b');
  const watcher = open();
  write('');
  advance(40);
  write('a/b\nc/d');
  advance(49);
  expect(changes).toEqual([]);
  advance(1);
  expect(changes.map(names)).toEqual([['a/b', 'c/d']]);
  expect(names(watcher.current)).toEqual(['a/b', 'c/d']);
});

test('a change without an event is found by looking every two seconds', () => {
  const { open, write, advance, changes } = setUp('a/b');
  open();
  advance(10_000);
  write('c/d', { isSeen: false });
  advance(2000);
  expect(changes.map(names)).toEqual([['c/d']]);
});

test('where the folder cannot be watched the file is still followed', () => {
  const { open, write, advance, changes, lines } = setUp('a/b', { watchFails: true });
  open();
  expect(lines[0]).toContain('ENOSPC');
  write('c/d');
  advance(2000);
  expect(changes.map(names)).toEqual([['c/d']]);
});

test.each([
  ['a bad line', 'a/b nonsense', 'line 1'],
  ['an empty file', '', 'at least one'],
  ['no file', undefined, 'ENOENT'],
])('%s is logged once and the last good list stays until a good one comes', (_, bad, reason) => {
  const { open, write, advance, changes, lines } = setUp('a/b');
  const watcher = open();
  write(bad);
  advance(10_000);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^error .*last good/);
  expect(lines[0]).toContain(reason);
  expect([changes, names(watcher.current)]).toEqual([[], ['a/b']]);
  write('c/d');
  advance(50);
  expect(changes.map(names)).toEqual([['c/d']]);
});

test('another file of the folder or another time stamp alone changes nothing', () => {
  const { open, write, advance, touch, changes, lines } = setUp('a/b');
  open();
  touch();
  advance(50);
  write('a/b');
  advance(50);
  expect([changes, lines]).toEqual([[], []]);
});

test('after close nothing is watched, planned or told', () => {
  const { open, write, advance, changes, pending, isWatchClosed } = setUp('a/b');
  const watcher = open();
  write('c/d');
  watcher.close();
  expect([pending(), isWatchClosed()]).toEqual([0, true]);
  write('e/f');
  advance(10_000);
  expect([changes, pending()]).toEqual([[], 0]);
});

test('a bad file at the start is an error that names the file and the line', () => {
  expect(() => setUp('a/b\nx y\nz w').open()).toThrow(
    /^\/etc\/embeddings\/models\.txt line 2: [^\n]+\n\/etc\/embeddings\/models\.txt line 3: /,
  );
  expect(() => readAllowlist('/nowhere/models.txt')).toThrow(
    /^\/nowhere\/models\.txt: expected a readable allowlist file/,
  );
});
