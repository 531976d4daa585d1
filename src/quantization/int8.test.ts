import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quantizeRows, transposeInto } from './int8.ts';

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, max: Math.fround(1e30), min: -Math.fround(1e30) });
const matrix = fc
  .record({ rows: fc.integer({ min: 1, max: 5 }), size: fc.integer({ min: 1, max: 40 }) })
  .chain(({ rows, size }) =>
    fc.record({
      size: fc.constant(size),
      values: fc.array(finite, { minLength: rows * size, maxLength: rows * size }),
    }),
  );
const smallest = 2 ** -149; // of float32

test('a number comes back within half a step of its row', () => {
  fc.assert(
    fc.property(matrix, ({ values, size }) => {
      const { codes, scales } = quantize(values, size);
      for (const [at, value] of values.entries()) {
        const row = Math.floor(at / size);
        const largest = Math.max(...values.slice(row * size, (row + 1) * size).map(Math.abs));
        // The scale is rounded to float32 too.
        const halfStep = (largest / 254) * 1.0001 + 127 * smallest;
        expect(Math.abs(codes[at]! * scales[row]! - value)).toBeLessThanOrEqual(halfStep);
      }
    }),
  );
});

test('the largest magnitude of a row gets the code 127 or -127, and none gets -128', () => {
  fc.assert(
    fc.property(matrix, ({ values, size }) => {
      const { codes } = quantize(values, size);
      for (let row = 0; row < values.length / size; row++) {
        const own = values.slice(row * size, (row + 1) * size);
        const largest = Math.max(...own.map(Math.abs));
        const code = Math.max(...codes.slice(row * size, (row + 1) * size).map(Math.abs));
        expect(code).toBe(largest === 0 ? 0 : 127);
      }
    }),
  );
});

test('a row of zeros has the scale 0 and the codes 0, also beside others', () => {
  const { codes, scales } = quantize([0, -0, 0, 2, -4, 1], 3);
  expect([[...codes], [...scales]]).toEqual([
    [0, 0, 0, 64, -127, 32],
    [0, Math.fround(4 / 127)],
  ]);
});

test('factors multiply the columns before the scale is taken', () => {
  const factors = Float32Array.of(10, 0.5, 1);
  const smoothed = quantize([1, 2, 3, -4, 5, 6], 3, factors);
  expect(smoothed).toEqual(quantize([10, 1, 3, -40, 2.5, 6], 3));
});

test.each([NaN, Infinity, -Infinity])('%d is refused wherever it stands', (value) => {
  for (let at = 0; at < 6; at++) {
    const values = [1, 2, 3, 4, 5, 6];
    values[at] = value;
    expect(() => quantize(values, 3)).toThrow(RangeError);
  }
});

test('rows become columns of a wider matrix, from the column asked for', () => {
  const matrix = new Int8Array(2 * 5).fill(99);
  transposeInto(Int8Array.of(1, 2, 3, 4, 5, 6), 2, { matrix, width: 5, from: 1 });
  expect([...matrix]).toEqual([99, 1, 3, 5, 99, 99, 2, 4, 6, 99]);
});

test('what is transposed a few rows at a time is what is transposed at once', () => {
  fc.assert(
    fc.property(matrix, fc.integer({ min: 1, max: 3 }), ({ values, size }, step) => {
      const { codes } = quantize(values, size);
      const width = codes.length / size;
      const parts = new Int8Array(codes.length);
      for (let from = 0; from < width; from += step)
        transposeInto(codes.slice(from * size, (from + step) * size), size, { matrix: parts, width, from });
      for (const [at, code] of codes.entries()) expect(parts[(at % size) * width + Math.floor(at / size)]).toBe(code);
    }),
  );
});

function quantize(values: readonly number[], size: number, factors?: Float32Array) {
  const codes = new Int8Array(values.length);
  const scales = new Float32Array(values.length / size);
  quantizeRows(Float32Array.from(values), size, { codes, scales, factors });
  return { codes, scales };
}
