import { expect, test } from 'vitest';
import { withResolvers } from '../util/with-resolvers.ts';
import { Admission } from './admission.ts';
import type { Sequence } from './entry.ts';

interface Waiting {
  readonly tokens: number;
  readonly of?: Readonly<Record<string, number>>;
}

const admissionOf = ({ tokens, of = {} }: Waiting, rate = 0) =>
  new Admission({
    queue: { tokens, tokensOf: (caller) => of[caller] ?? 0, tokensBefore: () => tokens },
    maxQueueTokens: 1000,
    rate: () => rate,
    nowMs: () => 0,
  });
const from = (caller: string, deadlineMs?: number) => ({ requestId: 'r', caller, deadlineMs });

test('an empty queue takes any request', () => {
  expect(admissionOf({ tokens: 0 }, 100).check(5000, from('a', 1))).toBeUndefined();
});

test('a full queue refuses, and says when there will be room for the request', () => {
  const refused = admissionOf({ tokens: 900 }, 100).check(600, from('a'));
  expect(refused?.error).toMatchObject({ code: 'server_overloaded', details: { retryAfterSeconds: 5 } });
});

test('one caller alone may have the whole queue', () => {
  expect(admissionOf({ tokens: 900, of: { a: 900 } }).check(100, from('a'))).toBeUndefined();
});

test('of several, each may have as much waiting as is free, so that one who has nothing there always gets in', () => {
  const admission = admissionOf({ tokens: 500, of: { a: 500 } }, 100);
  expect(admission.check(100, from('b'))).toBeUndefined();
  expect(admission.check(100, from('a'))?.error).toMatchObject({
    code: 'queue_share_exceeded',
    details: { mine: 500, free: 500, retryAfterSeconds: 1 },
  });
});

test('a request that would be answered too late is refused at once, with the time until it would not be', () => {
  const admission = admissionOf({ tokens: 900 }, 100); // 9 s of work, and a request of 0.1 s
  expect(admission.check(10, from('a', 20_000))).toBeUndefined();
  expect(admission.check(10, from('a', 4000))?.error).toMatchObject({
    code: 'wait_too_long',
    details: { seconds: 10, allowed: 4, retryAfterSeconds: 7 },
  });
});

test('what is still being tokenised counts as waiting until it is done', async () => {
  const admission = admissionOf({ tokens: 400 }, 100);
  const { promise, resolve } = withResolvers<readonly Sequence[]>();
  const arriving = admission.expect(2000, promise);
  expect(admission.check(200, from('a'))?.reason).toBe('queue');
  expect(admission.check(50, from('a', 10_000))?.reason).toBe('wait');
  resolve([{ ids: new Int32Array(500) }]);
  await arriving;
  expect(admission.check(200, from('a'))).toBeUndefined();
});

test('nothing is refused for a wait that nothing has been measured of', () => {
  expect(admissionOf({ tokens: 900 }).check(10, from('a', 1))).toBeUndefined();
});
