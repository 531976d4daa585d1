import { expect, test } from 'vitest';
import { createFakeFiles } from '../../tests/util/fake-files.ts';
import { FollowedFiles } from './followed-files.ts';

const [first, second] = ['/etc/tls/cert.pem', '/run/key.pem'];

/** Two files that are good where they hold the same text, as a certificate and its key belong together. */
function setUp() {
  const fake = createFakeFiles({ [first]: 'a', [second]: 'a' });
  const changes: string[] = [];
  const open = () =>
    new FollowedFiles({
      what: 'pair',
      paths: [first, second],
      read: ({ read }) => {
        if (read(first) !== read(second)) throw new Error('expected a pair');
        return read(first);
      },
      onChange: (value) => changes.push(value),
      ...fake,
    });
  return { ...fake, open, changes };
}

test('several files in several folders are one value', () => {
  const { open, write, advance, watched, changes } = setUp();
  const pair = open();
  expect(watched()).toEqual(['/etc/tls', '/run']);
  write(first, 'b');
  write(second, 'b');
  advance(50);
  expect([pair.current, changes]).toEqual(['b', ['b']]);
  pair.close();
  expect(watched()).toEqual([]);
});

test('the last good value stays while the files do not fit, and they are looked at again when either changes', () => {
  const { open, write, advance, changes, lines } = setUp();
  const pair = open();
  write(first, 'b');
  advance(5000);
  expect(lines).toEqual([
    'error pair is bad, the last good one stays {"path":"/etc/tls/cert.pem, /run/key.pem","reason":"expected a pair"}',
  ]);
  expect([pair.current, changes]).toEqual(['a', []]);
  write(second, 'b', { isSeen: false });
  advance(2000);
  expect([pair.current, changes]).toEqual(['b', ['b']]);
});

test('bad files at the start are an error and leave nothing watched', () => {
  const { open, write, watched, pending } = setUp();
  write(second, undefined);
  expect(open).toThrow('ENOENT');
  expect([watched(), pending()]).toEqual([[], 0]);
});
