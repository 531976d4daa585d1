import { expect, test } from 'vitest';
import { clientTimeoutMs, deadlineOf } from './deadline.ts';

test.each([
  [{}, undefined],
  [{ 'x-request-timeout-ms': '250' }, 250],
  [{ 'x-stainless-read-timeout': '0.5' }, 500],
  [{ 'x-stainless-read-timeout': '600' }, 600_000],
  [{ 'x-stainless-timeout': '0' }, 1000], // 900 ms rounded down
  [{ 'x-stainless-timeout': '600' }, 601_000],
  [{ 'x-request-timeout-ms': '5', 'x-stainless-read-timeout': '600' }, 5],
  [{ 'x-request-timeout-ms': 'soon' }, undefined],
  [{ 'x-request-timeout-ms': '-1' }, undefined],
  [{ 'x-stainless-read-timeout': '1e99' }, undefined],
])('%o is %s ms', (headers, expected) => {
  expect(clientTimeoutMs(headers)).toBe(expected);
});

test('the earlier of client and server holds', () => {
  const headers = { 'x-request-timeout-ms': '5000' };
  expect(deadlineOf(headers, { startMs: 100, maxWaitSeconds: undefined })).toBe(5100);
  expect(deadlineOf(headers, { startMs: 100, maxWaitSeconds: 2 })).toBe(2100);
  expect(deadlineOf({}, { startMs: 100, maxWaitSeconds: 2 })).toBe(2100);
  expect(deadlineOf({}, { startMs: 100, maxWaitSeconds: undefined })).toBeUndefined();
});
