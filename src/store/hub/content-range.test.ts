import { expect, test } from 'vitest';
import { parseContentRange } from './content-range.ts';

test.each([
  ['bytes 100-199/500', { start: 100, total: 500 }],
  ['bytes 0-0/1', { start: 0, total: 1 }],
  ['Bytes 5-9/*', { start: 5, total: undefined }],
  ['bytes 9-5/10', undefined],
  ['bytes */500', undefined],
  ['bytes=0-5/10', undefined],
  ['', undefined],
  [undefined, undefined],
])('%j is %j', (value, range) => {
  expect(parseContentRange(value)).toEqual(range);
});
