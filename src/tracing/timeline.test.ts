import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mark, stagesOf, startTimeline } from './timeline.ts';

const lengths = (stages: ReturnType<typeof stagesOf>) =>
  Object.fromEntries(stages.map(({ name, startMs, endMs }) => [name, endMs - startMs]));

test('an answered request has every stage', () => {
  const timeline = {
    ...startTimeline(100),
    readAtMs: 101,
    modelAtMs: 103,
    tokenizedAtMs: 106,
    startedAtMs: 110,
    computedAtMs: 130,
    encodedAtMs: 131,
  };
  expect(lengths(stagesOf(timeline, 133))).toEqual({
    body: 1,
    load: 2,
    tokenize: 3,
    queue: 4,
    run: 20,
    encode: 1,
    send: 2,
  });
});

test('the last stage is the one that a refused or aborted request was in', () => {
  expect(lengths(stagesOf(startTimeline(5), 8))).toEqual({ body: 3 });
  const waiting = { ...startTimeline(0), readAtMs: 1, modelAtMs: 1, tokenizedAtMs: 2 };
  expect(lengths(stagesOf(waiting, 50))).toEqual({ body: 1, load: 0, tokenize: 1, queue: 48 });
});

test('a stage that was skipped took no time', () => {
  const cached = { ...startTimeline(0), readAtMs: 1, modelAtMs: 2, tokenizedAtMs: 3, computedAtMs: 5 };
  expect(lengths(stagesOf(cached, 6))).toMatchObject({ queue: 0, run: 2, encode: 1 });
});

test('stages have no gaps and add up to the whole, however far a request came', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(1000), { nil: undefined }), { minLength: 6, maxLength: 6 }), (steps) => {
      let at = 7;
      const times = steps.map((step) => (step === undefined ? undefined : (at += step)));
      const [readAtMs, modelAtMs, tokenizedAtMs, startedAtMs, computedAtMs, encodedAtMs] = times;
      const points = { readAtMs, modelAtMs, tokenizedAtMs, startedAtMs, computedAtMs, encodedAtMs };
      const stages = stagesOf({ ...startTimeline(7), ...points }, at + 1);
      expect(stages[0]?.startMs).toBe(7);
      expect(stages.at(-1)?.endMs).toBe(at + 1);
      for (const [i, stage] of stages.entries()) if (i > 0) expect(stage.startMs).toBe(stages[i - 1]?.endMs);
      expect(stages.every(({ startMs, endMs }) => endMs >= startMs)).toBe(true);
    }),
  );
});

test('nothing is written where nobody asks', () => {
  expect(() => mark(undefined, 'readAtMs')).not.toThrow();
});
