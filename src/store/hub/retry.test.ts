import { expect, test } from 'vitest';
import { parseRetryAfter } from './answer-error.ts';
import { HubError } from './hub-error.ts';
import { retry } from './retry.ts';

/** Runs attempts that fail with these errors in turn, and get so far, then one that succeeds; gives the waits between them. */
async function waitsOf(
  errors: readonly Error[],
  maxFailures: number,
  sizes: readonly number[] = [],
): Promise<readonly number[]> {
  const waits: number[] = [];
  let attempts = 0;
  const attempt = async (): Promise<void> => {
    const error = errors[attempts++];
    if (error !== undefined) throw error;
  };
  const sleep = async (ms: number): Promise<void> => void waits.push(ms);
  const progress = (): number => sizes[attempts - 1] ?? 0;
  await retry(attempt, { maxFailures, progress, sleep, signal: new AbortController().signal });
  return waits;
}

const cut = new HubError('unreachable', 'cut');

test('waits double up to half a minute', async () => {
  expect(await waitsOf(Array<Error>(8).fill(cut), 9)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('so many failures without progress are the end', async () => {
  await expect(waitsOf([cut, cut, cut], 3)).rejects.toBe(cut);
});

test('progress is counted from the furthest point: starting over and getting as far as before is none', async () => {
  expect(await waitsOf([cut, cut, cut], 2, [5, 9, 12])).toEqual([1000, 1000, 1000]);
  await expect(waitsOf([cut, cut, cut], 3, [5, 3, 5])).rejects.toBe(cut);
});

test('the wait that the hub asks for is kept, and a long one is told at once', async () => {
  const asks = (retryAfterSeconds: number) => new HubError('rate_limited', 'slow down', { retryAfterSeconds });
  expect(await waitsOf([asks(7), asks(0), asks(15)], 9)).toEqual([7000, 2000, 15_000]);
  await expect(waitsOf([asks(16)], 9)).rejects.toMatchObject({ retryAfterSeconds: 16 });
});

test('what does not come and go by itself is not tried again', async () => {
  const gone = new HubError('not_found', 'gone');
  await expect(waitsOf([gone], 9)).rejects.toBe(gone);
  const bug = new TypeError('bug');
  await expect(waitsOf([bug], 9)).rejects.toBe(bug);
});

test('Retry-After is a number of seconds or a date', () => {
  expect(parseRetryAfter('120')).toBe(120);
  const nowMs = Date.parse('2026-11-24T10:00:00Z');
  expect(parseRetryAfter('Tue, 24 Nov 2026 10:00:30 GMT', nowMs)).toBe(30);
  expect(parseRetryAfter('Tue, 24 Nov 2026 09:00:00 GMT', nowMs)).toBe(0);
  expect(parseRetryAfter('soon', nowMs)).toBeUndefined();
  expect(parseRetryAfter(undefined)).toBeUndefined();
});
