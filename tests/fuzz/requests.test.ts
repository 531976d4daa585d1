import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const run = fileURLToPath(new URL('run.sh', import.meta.url));

test('4,000 requests with something wrong are answered in words, and the server lives', () => {
  const output = execFileSync(run, ['requests', '--count', '4000', '--seed', '7'], { encoding: 'utf8' });
  expect(output).toMatch(/4000 requests of seed 7 in [^]*\n0 findings\n$/);
}, 120_000);
