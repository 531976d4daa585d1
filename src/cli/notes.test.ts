import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { Notes } from './notes.ts';

function setUp(isTTY: boolean) {
  const written: string[] = [];
  const stderr = new Writable({ write: (chunk, _, done) => (written.push(String(chunk)), done()) });
  return { notes: new Notes(Object.assign(stderr, { isTTY })), written };
}

test('a terminal sees every step on one line that is cleared at the end', () => {
  const { notes, written } = setUp(true);
  notes.note('loading', { isLong: false });
  notes.clear();
  expect(written).toEqual(['\r\u001B[2Kloading ...', '\r\u001B[2K']);
});

test('elsewhere only long steps are a line', () => {
  const { notes, written } = setUp(false);
  notes.note('loading', { isLong: false });
  notes.note('comparing', { isLong: true });
  notes.clear();
  expect(written).toEqual(['comparing ...\n']);
});
