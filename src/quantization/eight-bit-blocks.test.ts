import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eightBitRowSizes, quantizeToEightBits } from './eight-bit-blocks.ts';

const matrix = fc
  .record({ rows: fc.integer({ min: 1, max: 3 }), columns: fc.integer({ min: 1, max: 70 }) })
  .chain(({ rows, columns }) =>
    fc.record({
      columns: fc.constant(columns),
      blockSize: fc.constantFrom(16, 32),
      weights: fc.array(fc.float({ min: -9, max: 9, noNaN: true }), {
        minLength: rows * columns,
        maxLength: rows * columns,
      }),
    }),
  );

test('a number comes back within half a step of its block, and what is past the end of a row stands for 0', () => {
  fc.assert(
    fc.property(matrix, ({ weights, columns, blockSize }) => {
      const { packed, scales } = quantize(weights, columns, blockSize);
      const blocks = Math.ceil(columns / blockSize);
      for (const [at, code] of packed.entries()) {
        const [row, column] = [Math.floor(at / (blocks * blockSize)), at % (blocks * blockSize)];
        const block = Math.floor(column / blockSize);
        const scale = scales[row * blocks + block]!;
        const value = column < columns ? weights[row * columns + column]! : 0;
        expect(Math.abs(scale * (code - 128) - value)).toBeLessThanOrEqual(scale * 0.50001 + 1e-40);
      }
    }),
  );
});

test('a wide number costs the resolution of its own block only', () => {
  const weights = Array.from({ length: 64 }, (_, i) => (i === 40 ? 1000 : 0.5));
  const { scales } = quantize(weights, 64, 32);
  expect([...scales]).toEqual([Math.fround(0.5 / 127), Math.fround(1000 / 127)]);
});

test('zeros have the code of zero', () => {
  const { packed, scales } = quantize(
    Array.from({ length: 20 }, () => 0),
    20,
    16,
  );
  expect([[...new Set(packed)], [...scales]]).toEqual([[128], [0, 0]]);
});

test('a number that is not finite is refused', () => {
  expect(() => quantize([1, NaN], 2, 16)).toThrow(RangeError);
});

test('a part of a larger buffer is written, and nothing beside it', () => {
  const packed = new Uint8Array(48).fill(7);
  const scales = new Float32Array(3).fill(7);
  const weights = Float32Array.from({ length: 16 }, (_, i) => i - 8);
  quantizeToEightBits(
    weights,
    { columns: 16, blockSize: 16 },
    { packed: packed.subarray(16, 32), scales: scales.subarray(1, 2) },
  );
  const { packed: own } = quantize([...weights], 16, 16);
  expect([...packed]).toEqual([...new Uint8Array(16).fill(7), ...own, ...new Uint8Array(16).fill(7)]);
  expect([...scales]).toEqual([7, Math.fround(8 / 127), 7]);
});

function quantize(weights: readonly number[], columns: number, blockSize: number) {
  const rows = weights.length / columns;
  const sizes = eightBitRowSizes({ columns, blockSize });
  const out = { packed: new Uint8Array(rows * sizes.packed), scales: new Float32Array(rows * sizes.scales) };
  quantizeToEightBits(Float32Array.from(weights), { columns, blockSize }, out);
  return out;
}
