import { expect, test } from 'vitest';
import { growth, meanBetween, parseMetrics } from './prometheus.ts';

const text = (seconds: number, runs: number) => `# HELP run_seconds One batch
# TYPE run_seconds histogram
run_seconds_bucket{le="0.1",model="a"} ${runs}
run_seconds_sum{model="a"} ${seconds}
run_seconds_count{model="a"} ${runs}
run_seconds_sum{model="b b"} 1
run_seconds_count{model="b b"} 1
`;

test('the mean of a histogram is taken between two reads and over all labels', () => {
  const [before, after] = [parseMetrics(text(2, 4)), parseMetrics(text(3, 6))];
  expect(meanBetween({ before, after, name: 'run_seconds' })).toBeCloseTo(0.5);
  expect(before.get('run_seconds_sum')).toBe(3);
});

test('a metric that is not there is an error', () => {
  const none = parseMetrics('');
  expect(() => growth({ before: none, after: none, name: 'run_seconds_sum' })).toThrow('run_seconds_sum');
});
