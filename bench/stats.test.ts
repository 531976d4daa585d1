import { expect, test } from 'vitest';
import { compareVectors, median, percentile, spread } from './stats.ts';

test('percentiles interpolate between neighbours and do not depend on order', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(percentile([10, 0], 0.95)).toBeCloseTo(9.5);
  expect(percentile([7], 0.99)).toBe(7);
  expect(spread([3, 1, 2])).toEqual([1, 3]);
});

test('a percentile of nothing is an error', () => {
  expect(() => percentile([], 0.5)).toThrow('at least one value');
});

test('vectors are compared component by component and row by row', () => {
  const a = new Float32Array([1, 0, 0, 1]);
  const b = new Float32Array([1, 0, 0.6, 0.8]);
  const { maxAbs, minCosine, meanCosine } = compareVectors({ a, b, dim: 2 });
  expect(maxAbs).toBeCloseTo(0.6, 6);
  expect(minCosine).toBeCloseTo(0.8, 6);
  expect(meanCosine).toBeCloseTo(0.9, 6);
});

test('a NaN in either buffer is never hidden', () => {
  const good = new Float32Array([1, 0]);
  const bad = new Float32Array([Number.NaN, 0]);
  expect(compareVectors({ a: good, b: bad, dim: 2 }).maxAbs).toBeNaN();
  expect(compareVectors({ a: bad, b: good, dim: 2 }).minCosine).toBeNaN();
});

test('buffers of different length are an error', () => {
  expect(() => compareVectors({ a: new Float32Array(4), b: new Float32Array(2), dim: 2 })).toThrow('whole rows');
});
