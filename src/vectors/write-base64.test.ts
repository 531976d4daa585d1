import { expect, test } from 'vitest';
import { base64Bytes, writeBase64 } from './write-base64.ts';

test('numbers come back from the little-endian bytes', () => {
  const values = Float32Array.of(0, -0, 1, -2.5, 1e-45, 3.4028234663852886e38);
  const bytes = Buffer.from(encode(values), 'base64');
  expect(Array.from(values, (_, i) => bytes.readFloatLE(i * 4))).toEqual([...values]);
});

test('1.0 is written as 00 00 80 3f', () => {
  expect(encode(Float32Array.of(1))).toBe('AACAPw==');
});

test('a part of a larger buffer is written alone', () => {
  const whole = Float32Array.of(7, 8, 9, 10);
  expect(encode(whole.subarray(1, 3))).toBe(encode(Float32Array.of(8, 9)));
});

test('the bytes asked for are enough for every length', () => {
  for (let count = 0; count < 20; count++) {
    expect(encode(new Float32Array(count)).length).toBeLessThanOrEqual(base64Bytes(count));
  }
});

test.each([NaN, Infinity, -Infinity])('%f is refused with the name of the input', (value) => {
  expect(() => encode(Float32Array.of(1, value))).toThrow(
    expect.objectContaining({ code: 'non_finite_output', details: { param: 'input[5]' } }),
  );
});

function encode(values: Float32Array): string {
  const out = Buffer.alloc(200);
  return out.subarray(3, writeBase64(values, out, 3, 'input[5]')).toString('latin1');
}
