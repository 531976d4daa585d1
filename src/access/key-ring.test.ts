import { expect, test } from 'vitest';
import { hashApiKey } from './api-key.ts';
import { KeyRing } from './key-ring.ts';
import type { KeyRecord } from './key-record.ts';

const record = (name: string, more: Partial<KeyRecord> = {}): KeyRecord => ({
  name,
  hash: hashApiKey(`sk-${name}`),
  created: '2026-01-01',
  ...more,
});

test('a key is found with what its caller may do', () => {
  const limits = { models: ['acme/*'], requestsPerMinute: 6, tokensPerMinute: 700 };
  const ring = new KeyRing({ plain: ['one', 'two'], records: [record('app', limits)] });
  expect(ring.find('sk-app')).toEqual({ caller: { name: 'app', ...limits } });
  expect(ring.find('two')).toEqual({ caller: { name: 'env-2' } });
  for (const other of ['', 'sk-ap', 'sk-app ', 'three', hashApiKey('one')])
    expect(ring.find(other)).toEqual({ refused: 'unknown' });
});

test('a key expires at its time, and one that is revoked too says only that', () => {
  let now = Date.parse('2027-01-01') - 1;
  const ring = new KeyRing(
    {
      records: [
        record('a', { expires: '2027-01-01' }),
        record('b', { expires: '2027-01-01', revoked: '2026-11-24' }),
        record('c', { revoked: true }),
      ],
    },
    () => now,
  );
  expect(ring.find('sk-a')).toHaveProperty('caller.name', 'a');
  now++;
  expect(ring.find('sk-a')).toEqual({ refused: 'expired' });
  for (const key of ['sk-b', 'sk-c']) expect(ring.find(key)).toEqual({ refused: 'revoked' });
});

test('where a plain key is in the file too, the file says what it may do', () => {
  const ring = new KeyRing({ plain: ['sk-app'], records: [record('app', { revoked: true })] });
  expect(ring.find('sk-app')).toEqual({ refused: 'revoked' });
});
