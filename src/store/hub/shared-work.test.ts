import { expect, test } from 'vitest';
import { SharedWork } from './shared-work.ts';

/** Work that ends when told to. */
function startWork() {
  let finish: (result: string) => void = () => {};
  let report: (progress: number) => void = () => {};
  let stopped = false;
  const work = new SharedWork<string, number>((signal, tell) => {
    report = tell;
    signal.addEventListener('abort', () => (stopped = true));
    return new Promise((resolve) => (finish = resolve));
  });
  return {
    work,
    finish: (result: string) => finish(result),
    report: (at: number) => report(at),
    isStopped: () => stopped,
  };
}

test('all who wait get the result and the progress, those who come later what was last', async () => {
  const { work, finish, report } = startWork();
  const seen: (readonly [string, number])[] = [];
  const first = work.join((at) => seen.push(['first', at]), undefined);
  report(1);
  const second = work.join((at) => seen.push(['second', at]), undefined);
  report(2);
  finish('done');
  expect(await Promise.all([first, second])).toEqual(['done', 'done']);
  expect(seen).toEqual([
    ['first', 1],
    ['second', 1],
    ['first', 2],
    ['second', 2],
  ]);
});

test('it goes on while one waits, and stops when the last has left', async () => {
  const { work, isStopped } = startWork();
  const [first, second] = [new AbortController(), new AbortController()];
  const waits = [work.join(() => {}, first.signal), work.join(() => {}, second.signal)];
  first.abort(new Error('left'));
  await expect(waits[0]).rejects.toThrow('left');
  expect(isStopped()).toBe(false);
  second.abort(new Error('left too'));
  await expect(waits[1]).rejects.toThrow('left too');
  expect(isStopped()).toBe(true);
  expect(work.isAbandoned).toBe(true);
});

test('an error reaches all, and no promise is left alone with it', async () => {
  const work = new SharedWork(() => Promise.reject(new Error('broken')));
  await work.settled();
  await expect(work.join(() => {}, undefined)).rejects.toThrow('broken');
});
