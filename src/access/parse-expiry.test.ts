import { expect, test } from 'vitest';
import { parseExpiry } from './parse-expiry.ts';

const now = Date.parse('2026-11-24T12:00:00Z');

test.each([
  ['12h', '2026-11-25T00:00:00.000Z'],
  ['90d', '2027-02-22T12:00:00.000Z'],
  ['2w', '2026-12-08T12:00:00.000Z'],
  ['2027-01-01', '2027-01-01'],
  ['2027-01-01T08:00:00+01:00', '2027-01-01T08:00:00+01:00'],
])('%s is %s', (text, at) => expect(parseExpiry(text, now)).toBe(at));

test.each(['', '90', '90days', '-1d', '1.5d', 'never', '2027-02-30', '99999999999d'])('%j is refused', (text) =>
  expect(() => parseExpiry(text, now)).toThrow('expected a time from now such as'),
);

test.each(['0d', '2026-11-24', '2026-11-24T12:00:00Z'])('%s is no time to come', (text) =>
  expect(() => parseExpiry(text, now)).toThrow('still to come'),
);
