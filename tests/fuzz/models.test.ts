import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const run = fileURLToPath(new URL('run.sh', import.meta.url));

test('800 model folders with something wrong are refused in words, or run', () => {
  const output = execFileSync(run, ['models', '--count', '800', '--seed', '7', '--runs', '0.01'], { encoding: 'utf8' });
  expect(output).toMatch(/^800 model folders of seed 7 in .*\n[^]*\n0 findings\n$/);
}, 120_000);
