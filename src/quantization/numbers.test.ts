import fc from 'fast-check';
import { expect, test } from 'vitest';
import { elementBytes } from '../store/safetensors.ts';
import { type FloatType, isFloatType, widen } from './numbers.ts';

test.each<[FloatType, number, number]>([
  ['F16', 0x0000, 0],
  ['F16', 0x8000, -0],
  ['F16', 0x3c00, 1],
  ['F16', 0xc000, -2],
  ['F16', 0x7bff, 65_504],
  ['F16', 0x0400, 2 ** -14],
  ['F16', 0x03ff, 1023 * 2 ** -24],
  ['F16', 0x0001, 2 ** -24],
  ['F16', 0x8001, -(2 ** -24)],
  ['F16', 0x7c00, Infinity],
  ['F16', 0xfc00, -Infinity],
  ['F16', 0x7e00, NaN],
  ['F16', 0xfc01, NaN],
  ['BF16', 0x3f80, 1],
  ['BF16', 0xc040, -3],
  ['BF16', 0x0001, 2 ** -133],
  ['BF16', 0x8000, -0],
  ['BF16', 0x7f80, Infinity],
  ['BF16', 0xffc0, NaN],
])('%s %i is %d', (type, bits, value) => {
  expect(widened(type, Uint8Array.of(bits & 0xff, bits >> 8))).toEqual([value]);
});

test('every finite F16 number is its sign, exponent and fraction', () => {
  const halves = Uint16Array.from({ length: 65_536 }, (_, half) => half);
  const values = widened('F16', new Uint8Array(halves.buffer));
  for (const half of halves) {
    const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
    if (exponent === 31) continue;
    const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    if (values[half] !== (half >> 15 === 0 ? magnitude : -magnitude)) expect([half, values[half]]).toBe(magnitude);
  }
});

test('F32 and F64 come as float32, F64 rounded to it', () => {
  fc.assert(
    fc.property(fc.array(fc.double()), (numbers) => {
      const rounded = Float32Array.from(numbers);
      expect(widened('F32', new Uint8Array(rounded.buffer))).toEqual([...rounded]);
      expect(widened('F64', new Uint8Array(Float64Array.from(numbers).buffer))).toEqual([...rounded]);
    }),
  );
});

test.each(['F64', 'F32', 'F16', 'BF16'] as const)('%s is read at any address, and only `out` is written', (type) => {
  const bytes = Uint8Array.from({ length: 5 * elementBytes[type] }, (_, i) => (i * 37 + 11) % 120);
  const expected = widened(type, bytes);
  for (let shift = 0; shift < 8; shift++) {
    const moved = new Uint8Array(bytes.length + shift);
    moved.set(bytes, shift);
    const room = new Float32Array(7).fill(-1);
    widen(moved.subarray(shift), type, room.subarray(1, 6));
    expect([...room]).toEqual([-1, ...expected, -1]);
  }
});

test('integers and 8-bit floats are no weights as they stand', () => {
  const types = Object.keys(elementBytes) as (keyof typeof elementBytes)[];
  expect(types.filter(isFloatType)).toEqual(['F64', 'F32', 'F16', 'BF16']);
});

function widened(type: FloatType, bytes: Uint8Array): number[] {
  const out = new Float32Array(bytes.length / elementBytes[type]);
  widen(bytes, type, out);
  return [...out];
}
