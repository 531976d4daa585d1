import { expect, test } from 'vitest';
import { slopePerHour } from './slope.ts';

const line = (perHour: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ seconds: i * 10, value: 250 + (perHour * i * 10) / 3600 }));

test('the slope of a straight line, and of a flat one', () => {
  expect(slopePerHour(line(36, 50))).toBeCloseTo(36, 9);
  expect(slopePerHour(line(0, 51))).toBe(0);
});

test('jumps of a tenth of the samples do not move it by much', () => {
  const samples = line(10, 100).map((sample, i) => (i % 10 === 3 ? { ...sample, value: sample.value + 500 } : sample));
  expect(Math.abs(slopePerHour(samples) - 10)).toBeLessThan(2);
});

test('one sample has none', () => {
  expect(slopePerHour(line(1, 1))).toBeNaN();
});
