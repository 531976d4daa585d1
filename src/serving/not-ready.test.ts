import { expect, test } from 'vitest';
import { notReady } from './not-ready.ts';

const slot = { phase: 'starting', phaseSeconds: 1, memoryBytes: 3e9 } as const;
const nothing = { slot, download: undefined, held: [] };

test.each([
  ['its load takes as long as its size says', nothing, 'model_loading', 10],
  ['a load that is late may end any moment', { ...nothing, slot: { ...slot, phaseSeconds: 60 } }, 'model_loading', 1],
  [
    'a download takes as long as its speed says',
    { ...nothing, download: { doneBytes: 1e9, totalBytes: 1.5e9, bytesPerSecond: 20e6 } },
    'model_loading',
    25,
  ],
  [
    'no longer than SDKs wait',
    { ...nothing, download: { doneBytes: 0, totalBytes: 16e9, bytesPerSecond: 1e6 } },
    'model_loading',
    60,
  ],
  [
    'before the first byte',
    { ...nothing, download: { doneBytes: 0, totalBytes: 16e9, bytesPerSecond: undefined } },
    'model_loading',
    60,
  ],
  [
    'before the hub has answered',
    { ...nothing, download: { doneBytes: 0, totalBytes: undefined, bytesPerSecond: undefined } },
    'model_loading',
    5,
  ],
  [
    'where others are busy',
    { ...nothing, slot: { ...slot, phase: 'waiting' }, held: ['org/b'] },
    'model_limit_reached',
    5,
  ],
] as const)('the time to come back: %s', (_name, waiting, code, retryAfterSeconds) => {
  expect(notReady('org/a', waiting)).toMatchObject({ code, details: { model: 'org/a', retryAfterSeconds } });
});
