import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { parseKb, parseStat, readTreeMemory, startCpuMeter } from './process-tree.ts';

test('a process name with spaces and parentheses does not shift the fields', () => {
  const line = '42 (a) b) (c) S 7 42 42 0 -1 4194304 1 0 0 0 250 50 999 999 20 0 1 0 5 0 0';
  expect(parseStat(line)).toEqual({ pid: 42, parent: 7, cpuSeconds: 3 });
});

test('text that is no stat line is an error', () => {
  expect(() => parseStat('garbage')).toThrow('Not a /proc stat line');
});

test('a field of smaps_rollup is found by its whole name', () => {
  const text = 'SwapPss:        9 kB\nPss:           12 kB\nPss_Anon:      3 kB\n';
  expect(parseKb(text, 'Pss')).toBe(12);
  expect(() => parseKb(text, 'Rss')).toThrow('Rss');
});

test('the work of a grandchild counts, and a process that ends is noticed', async () => {
  const burn =
    'const end = process.cpuUsage().user + 2e5; while (process.cpuUsage().user < end); process.stdout.write("x")';
  const child = spawn(process.execPath, [
    '-e',
    `const c = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(`process.stdin.once("data", () => { ${burn} }); process.stdout.write("r")`)}], { stdio: "pipe" });
     c.stdout.pipe(process.stdout); process.stdin.pipe(c.stdin);`,
  ]);
  try {
    await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    const seconds = startCpuMeter(pid);
    child.stdin.write('go');
    await once(child.stdout, 'data');
    expect(seconds()).toBeGreaterThanOrEqual(0.15);
    expect(readTreeMemory(pid)).toMatchObject({ processes: 2 });
    const meter = startCpuMeter(pid);
    child.stdin.end();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(meter).toThrow();
  } finally {
    child.kill('SIGKILL');
  }
});
