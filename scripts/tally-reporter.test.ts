import { expect, test } from 'vitest';
import type { TestModule } from 'vitest/node';
import { TallyReporter } from './tally-reporter.ts';

/** The two methods of a test module that the reporter reads. */
function moduleWith(states: readonly string[], state = 'passed'): TestModule {
  const tests = states.map((one) => ({ result: () => ({ state: one }) }));
  return { state: () => state, children: { allTests: () => tests } } as unknown as TestModule;
}

function lineOf(modules: readonly TestModule[], errors = 0): string {
  const lines: string[] = [];
  new TallyReporter((line) => lines.push(line)).onTestRunEnd(modules, Array(errors).fill({ message: 'late' }));
  return lines.join('\n');
}

test('the line has the sums of all files', () => {
  expect(lineOf([moduleWith(['passed', 'passed']), moduleWith(['failed', 'skipped'], 'failed')])).toBe(
    '2 passed, 1 failed, 1 skipped',
  );
});

test('nothing is said of skipped tests where there are none', () => {
  expect(lineOf([moduleWith(['passed'])])).toBe('1 passed, 0 failed');
});

test('a file that does not load counts as failed', () => {
  expect(lineOf([moduleWith([], 'failed'), moduleWith(['passed'])])).toBe('1 passed, 1 failed');
});

test('a hook that throws after its tests have passed counts as failed', () => {
  expect(lineOf([moduleWith(['passed'], 'failed')])).toBe('1 passed, 1 failed');
});

test('an unhandled error and a test without a result count as failed', () => {
  expect(lineOf([moduleWith(['pending'])], 1)).toBe('0 passed, 2 failed');
});
