import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ServiceError } from '../errors.ts';
import { floatJsonBytes, writeFloatJson } from './write-float-json.ts';

const anyFinite = fc.integer({ min: 0, max: 0xffff_ffff }).map(fromBits).filter(Number.isFinite);
const inVector = fc.float({ min: -1, max: 1, noNaN: true });

test('every finite float32 reads back as the same bits', () => {
  fc.assert(fc.property(anyFinite, expectSameBits), { numRuns: 20_000 });
  fc.assert(fc.property(inVector, expectSameBits), { numRuns: 20_000 });
});

test('every exponent reads back at its first, second, middle and last value, with both signs', () => {
  for (let exponent = 0; exponent < 255; exponent++) {
    for (const mantissa of [0, 1, 2, 0x3fffff, 0x400000, 0x7ffffe, 0x7fffff]) {
      const bits = ((exponent << 23) | mantissa) >>> 0;
      expectSameBits(fromBits(bits));
      expectSameBits(fromBits((bits | 0x8000_0000) >>> 0));
    }
  }
});

test('no decimal of fewer digits reads back as the same float32', () => {
  const hasFewestDigits = (value: number): void => {
    const digits = countDigits(toJson(value));
    for (let fewer = 1; fewer < digits; fewer++) {
      const shorter = decimalsNear(value, fewer).find((decimal) => Math.fround(decimal) === value);
      if (shorter !== undefined) expect.fail(`${toJson(value)} could be ${shorter}`);
    }
  };
  fc.assert(fc.property(anyFinite, hasFewestDigits), { numRuns: 5000 });
  fc.assert(fc.property(inVector, hasFewestDigits), { numRuns: 10_000 });
  for (let power = -149; power < 128; power++) hasFewestDigits(Math.fround(2 ** power));
});

test('of the shortest decimals the nearest is written', () => {
  fc.assert(
    fc.property(inVector, (value) => {
      const text = toJson(value);
      const distance = Math.abs(Number(text) - value);
      for (const decimal of decimalsNear(value, countDigits(text))) {
        if (Math.fround(decimal) === value && Math.abs(decimal - value) < distance) expect.fail(`${text}: ${decimal}`);
      }
    }),
    { numRuns: 10_000 },
  );
});

test.each([
  [0, '0'],
  [-0, '-0'],
  [1, '1'],
  [-1, '-1'],
  [0.5, '0.5'],
  [0.1, '0.1'],
  [0.01, '0.01'],
  [0.001, '0.001'],
  [1e-7, '1e-7'],
  [-0.25, '-0.25'],
  [3.14159265, '3.1415927'],
  [16_777_216, '16777216'],
  [2 ** -149, '1e-45'],
  [3.4028234663852886e38, '3.4028235e38'],
  [0.99999994, '0.99999994'],
  [0.099999994, '0.099999994'],
])('%f is written as %s', (value, text) => {
  expect(toJson(value)).toBe(text);
});

test('numbers are written one after another from any position and of any part of a buffer', () => {
  const whole = Float32Array.of(9, 0.5, -0.25, 9);
  const out = Buffer.from('>'.repeat(200));
  const end = writeFloatJson(whole.subarray(1, 3), out, 2, 'input[0]');
  expect(out.subarray(0, end).toString()).toBe('>>0.5,-0.25');
  expect(writeFloatJson(new Float32Array(), out, 7, 'input[0]')).toBe(7);
});

test('the bytes asked for are enough for the longest numbers', () => {
  const longest = Float32Array.from({ length: 50 }, (_, i) => (i % 2 ? -1.17549435e-38 : -1.23456789e-6));
  expect(writeFloatJson(longest, Buffer.alloc(4096), 0, '')).toBeLessThanOrEqual(floatJsonBytes(50));
  fc.assert(
    fc.property(anyFinite, (value) => {
      expect(toJson(value).length + 1).toBeLessThanOrEqual(floatJsonBytes(1));
    }),
  );
});

test.each([NaN, Infinity, -Infinity])('%f is refused with the name of the input', (value) => {
  const out = Buffer.alloc(100);
  const error = catchError(() => writeFloatJson(Float32Array.of(0.5, value), out, 0, 'input[3]'));
  expect(error).toMatchObject({ code: 'non_finite_output', details: { param: 'input[3]' } });
});

function toJson(value: number): string {
  const out = Buffer.alloc(64);
  return out.subarray(0, writeFloatJson(Float32Array.of(value), out, 0, 'input[0]')).toString('latin1');
}

function expectSameBits(value: number): void {
  const back: unknown = JSON.parse(toJson(value));
  if (!Object.is(Math.fround(back as number), value)) expect.fail(`${value} was written as ${toJson(value)}`);
}

function countDigits(text: string): number {
  return text.replace(/e.*/, '').replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '').length || 1;
}

/** The decimals of `digits` digits around `value`. */
function decimalsNear(value: number, digits: number): number[] {
  const [mantissa = '', exponent = ''] = value.toExponential(digits - 1).split('e');
  const whole = Number(mantissa.replace('.', ''));
  return [whole - 1, whole, whole + 1].map((n) => Number(`${n}e${Number(exponent) - digits + 1}`));
}

function fromBits(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0] ?? NaN;
}

function catchError(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  return undefined;
}
