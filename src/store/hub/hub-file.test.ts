import { expect, test } from 'vitest';
import { fileUrl, parseFileHeaders } from './hub-file.ts';

function parse(headers: Readonly<Record<string, string>>): unknown {
  return parseFileHeaders({ header: (name) => headers[name], host: 'hub' });
}

test.each([
  [
    { etag: '"abc"', 'content-length': '5' },
    { etag: 'abc', sizeBytes: 5 },
  ],
  [
    { etag: 'W/"abc"', 'content-length': '0' },
    { etag: 'abc', sizeBytes: 0 },
  ],
  [
    { 'x-linked-etag': '"big"', 'x-linked-size': '9', etag: '"own"', 'content-length': '99' },
    { etag: 'big', sizeBytes: 9 },
  ],
])('%j says %j', (headers, expected) => {
  expect(parse(headers)).toEqual(expected);
});

test.each([
  {},
  { etag: '"abc"' },
  { 'content-length': '5' },
  { etag: '"../../x"', 'content-length': '5' },
  { etag: '"x.incomplete"', 'content-length': '5' },
  { etag: '".."', 'content-length': '5' },
  { etag: '"abc"', 'content-length': '-5' },
  { 'x-linked-etag': '"big"', 'content-length': '5' }, // the length of the redirect
])('%j is refused', (headers) => {
  expect(() => parse(headers)).toThrow(/Expected hub to give the ETag and the size/);
});

test('names of files are encoded, folders stay', () => {
  const asked = { repository: 'org/name', revision: 'abc', file: 'a b/c#d?.json' };
  expect(fileUrl('https://hub', asked)).toBe('https://hub/org/name/resolve/abc/a%20b/c%23d%3F.json');
});
