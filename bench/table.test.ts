import { expect, test } from 'vitest';
import { toTables } from './table.ts';

test('contestants stand side by side, one line each', () => {
  const rows = [
    { part: 'peers', contestant: 'ours', name: 'bulk', unit: 'texts/s', value: 134, spread: [130, 140] as const },
    { part: 'peers', contestant: 'theirs', name: 'bulk', unit: 'texts/s', value: 27 },
    { part: 'peers', contestant: 'theirs', name: 'start', unit: 's', value: 4.7 },
  ];
  expect(toTables(rows)).toBe(
    [
      '| peers | bulk, texts/s | start, s |',
      '| --- | --- | --- |',
      '| ours | 134 (130 to 140) |  |',
      '| theirs | 27 | 4.7 |',
      '',
    ].join('\n'),
  );
});

test('a sweep has a line for each of its points', () => {
  const row = { part: 'batch', contestant: 'ours', name: 'rate', unit: 'texts/s' };
  const rows = [1, 64].map((value) => ({ ...row, value: 2 * value, at: { axis: 'texts a request', value } }));
  expect(toTables(rows)).toContain('| batch, ours: texts a request | rate, texts/s |');
  expect(toTables(rows)).toContain('| 64 | 128 |');
});
