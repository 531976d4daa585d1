import { expect, test } from 'vitest';
import { Deadlines } from './deadlines.ts';
import { Submission, type Entry } from './entry.ts';

const submission = () => new Submission(1, 1, { resolve: () => {}, reject: () => {} });
const entry = (state: Entry['state']): Entry => ({
  ids: Int32Array.of(1),
  key: 'k',
  queuedAtMs: 0,
  waiters: [],
  state,
  failures: 0,
});

test('those whose time is over come out, unless they have an answer or all of them runs', () => {
  const deadlines = new Deadlines();
  const [late, later, answered, running, endless] = Array.from({ length: 5 }, submission);
  deadlines.add(later!, [entry('waiting')], 300);
  deadlines.add(late!, [entry('waiting')], 100);
  deadlines.add(answered!, [entry('done')], 100);
  deadlines.add(running!, [entry('running')], 100);
  deadlines.add(endless!, [entry('waiting')], undefined);
  answered!.fill(0, Float32Array.of(1));
  expect(deadlines.takeBefore(200).map((timed) => timed.submission)).toEqual([late]);
  expect(deadlines.takeBefore(1000).map((timed) => timed.submission)).toEqual([later]);
  expect(deadlines.takeBefore(Infinity)).toEqual([]);
});

test('answered requests are not kept until their time is over', () => {
  const deadlines = new Deadlines();
  deadlines.add(submission(), [entry('waiting')], 1); // stays first
  for (let i = 0; i < 5000; i++) {
    const one = submission();
    deadlines.add(one, [entry('done')], 1000 + i);
    one.fill(0, Float32Array.of(1));
  }
  expect(deadlines.size).toBeLessThan(2000);
});
