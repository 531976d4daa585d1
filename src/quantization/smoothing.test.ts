import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addSquares, relativeColumns, smoothingFactors } from './smoothing.ts';

const number = fc.float({ noNaN: true, min: -100, max: 100 });
const channels = fc.array(fc.record({ gain: number, shift: number, weight: number.map(Math.abs) }), {
  minLength: 1,
  maxLength: 50,
});

test('factors are positive, finite, and of geometric mean 1', () => {
  fc.assert(
    fc.property(channels, (list) => {
      const factors = smoothingFactors(
        Float32Array.from(list, ({ gain }) => gain),
        Float32Array.from(list, ({ shift }) => shift),
        Float32Array.from(list, ({ weight }) => weight),
      );
      expect(factors.every((factor) => factor > 0 && factor < Infinity)).toBe(true);
      expect(factors.reduce((sum, factor) => sum + Math.log(factor), 0) / factors.length).toBeCloseTo(0, 5);
    }),
  );
});

test('a factor goes with the range of its channel over the size of its weights', () => {
  const factors = smoothingFactors(Float32Array.of(3, -2, 1), Float32Array.of(4, 0, 0), Float32Array.of(1, 4, 1));
  expect(factors[0]! / factors[2]!).toBeCloseTo(5, 5); // the range of gain 3 and shift 4
  expect(factors[1]! / factors[2]!).toBeCloseTo(0.5, 5);
});

test('a norm without shift has the range of its gain', () => {
  const [gain, weights] = [Float32Array.of(3, -2, 1), Float32Array.of(1, 4, 1)];
  expect(smoothingFactors(gain, undefined, weights)).toEqual(smoothingFactors(gain, new Float32Array(3), weights));
});

test('channels that are switched off or hardly read all have one factor', () => {
  const factors = (gain: number, weight: number) =>
    smoothingFactors(Float32Array.of(gain, 1), undefined, Float32Array.of(weight, 1));
  expect(factors(0, 1)).toEqual(factors(1e-4, 1));
  expect(factors(1, 0)).toEqual(factors(1, 1e-4));
});

test('squares of columns are added up over calls', () => {
  const sums = new Float64Array(2);
  addSquares(Float32Array.of(1, 2, 3, 4), sums);
  addSquares(Float32Array.of(-1, 0), sums);
  expect([...sums]).toEqual([11, 20]);
});

test('the relative size of a column is the smallest it has in any weight', () => {
  // root mean squares over that of the whole weight: [sqrt(0.4), sqrt(1.6)] and [1, 1]
  const relative = relativeColumns([Float64Array.of(2, 8), Float64Array.of(7, 7)]);
  expect(relative[0]).toBeCloseTo(Math.sqrt(0.4), 6);
  expect(relative[1]).toBe(1);
});

test('a weight of zeros has columns of size 0, not NaN', () => {
  expect([...relativeColumns([new Float64Array(2)])]).toEqual([0, 0]);
});
