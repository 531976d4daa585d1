import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const script = join(import.meta.dirname, '../../scripts/read-audit.mjs');
const report = (total: number): string =>
  JSON.stringify({ auditReportVersion: 2, vulnerabilities: {}, metadata: { vulnerabilities: { low: total, total } } });

test.each([
  ['none', report(0)],
  ['some', report(3)],
  ['unavailable', JSON.stringify({ message: 'request failed, 405', error: { summary: '', detail: '' } })],
  ['unavailable', ''],
  ['unavailable', 'not JSON'],
])('an audit is read as %s', (expected, text) => {
  expect(execFileSync('node', [script], { input: text, encoding: 'utf8' })).toBe(`${expected}\n`);
});
