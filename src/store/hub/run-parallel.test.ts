import { expect, test } from 'vitest';
import { runParallel } from './run-parallel.ts';

const { signal } = new AbortController();

test('so many at once, in their order', async () => {
  const events: string[] = [];
  const work = async (item: number): Promise<void> => {
    events.push(`+${item}`);
    await new Promise(setImmediate);
    events.push(`-${item}`);
  };
  await runParallel([1, 2, 3], work, { atOnce: 2, signal });
  expect(events).toEqual(['+1', '+2', '-1', '+3', '-2', '-3']);
});

test('after an error the others are told, and it is thrown when they have stopped', async () => {
  let hasStopped = false;
  const started: string[] = [];
  const work = async (item: string, stop: AbortSignal): Promise<void> => {
    started.push(item);
    if (item === 'bad') throw new Error('first');
    await new Promise((resolve) => stop.addEventListener('abort', resolve));
    await new Promise(setImmediate);
    hasStopped = true;
    throw new Error('second');
  };
  await expect(runParallel(['good', 'bad', 'never'], work, { atOnce: 2, signal })).rejects.toThrow('first');
  expect(hasStopped).toBe(true);
  expect(started).toEqual(['good', 'bad']);
});

test('a signal that has fired lets nothing start', async () => {
  const aborted = AbortSignal.abort(new Error('left'));
  await expect(
    runParallel([1], () => Promise.reject(new Error('ran')), { atOnce: 1, signal: aborted }),
  ).rejects.toThrow('left');
});
