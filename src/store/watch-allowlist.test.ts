import { expect, test } from 'vitest';
import type { Allowlist } from './allowlist.ts';
import { AllowlistWatcher, readAllowlist, type WatchOptions } from './watch-allowlist.ts';

/** One file, a clock moved by hand and a folder watch that can be deaf. */
function setUp(text: string, { watchFails = false } = {}) {
  let content: string | undefined = text;
  let version = 0;
  let now = 0;
  let onEvent: () => void = () => {};
  let watchClosed = false;
  let tasks: { at: number; run: () => void }[] = [];
  const changes: Allowlist[] = [];
  const lines: string[] = [];
  const log: WatchOptions['log'] = {
    info: (fields, message) => void lines.push(`info ${message} ${JSON.stringify(fields)}`),
    error: (fields, message) => void lines.push(`error ${message} ${JSON.stringify(fields)}`),
  };
  const read = (): string => {
    if (content === undefined) throw new Error('ENOENT');
    return content;
  };
  const files: WatchOptions['files'] = {
    read,
    fingerprint: () => `${read().length}:${version}`,
    watch: (folder, listener) => {
      if (watchFails) throw new Error('ENOSPC');
      expect(folder).toBe('/etc/embeddings');
      onEvent = listener;
      return { close: () => void (watchClosed = true) };
    },
  };
  const clock = {
    after: (ms: number, run: () => void) => {
      const task = { at: now + ms, run };
      tasks.push(task);
      return () => void (tasks = tasks.filter((each) => each !== task));
    },
  };
  const advance = (ms: number): void => {
    for (const end = now + ms; ;) {
      const next = tasks.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      now = next?.at ?? end;
      if (next === undefined) return;
      tasks = tasks.filter((each) => each !== next);
      next.run();
    }
  };
  const write = (next: string | undefined, { isSeen = true } = {}): void => {
    content = next;
    version++;
    if (isSeen) onEvent();
  };
  const open = (): AllowlistWatcher =>
    new AllowlistWatcher({
      path: '/etc/embeddings/models.txt',
      onChange: (list) => changes.push(list),
      log,
      files,
      clock,
    });
  return {
    open,
    write,
    advance,
    touch: () => onEvent(),
    changes,
    lines,
    pending: () => tasks.length,
    isWatchClosed: () => watchClosed,
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
