import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isMet } from './goal.ts';
import { createReport, fromRounds } from './report.ts';

test('a row of rounds is their median with the lowest and highest', () => {
  const row = fromRounds({ part: 'p', name: 'n', unit: 's' }, [3, 1, 2]);
  expect(row).toMatchObject({ value: 2, spread: [1, 3], rounds: [3, 1, 2] });
});

test('NaN misses every goal', () => {
  const row = { part: 'p', name: 'n', unit: 's', value: Number.NaN };
  expect(isMet({ ...row, goal: { kind: 'atLeast', limit: 0 } })).toBe(false);
  expect(isMet({ ...row, goal: { kind: 'atMost', limit: 0 } })).toBe(false);
});

test('a missed goal is seen in the table and in the file', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'report-')), 'results.jsonl');
  const report = createReport(file);
  report.add({ part: 'engine', name: 'ratio', unit: 'x', value: 1.5, goal: { kind: 'atLeast', limit: 1.85 } });
  expect(report.tables()).toContain('| engine | ratio | 1.5 x |  | >= 1.85: MISSED |');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ value: 1.5, met: false });
});
