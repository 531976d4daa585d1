import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfigFieldError, ConfigFields } from './config-fields.ts';

const fields = (x: unknown) => new ConfigFields({ x });
const isLetter = (value: unknown): value is 'a' | 'b' => value === 'a' || value === 'b';

test.each([[null], [undefined], [[]], ['text'], [3]])('%j is no config', (json) => {
  expect(() => new ConfigFields(json)).toThrow(ConfigFieldError);
});

test('integer takes whole numbers from its minimum', () => {
  expect(fields(3).integer('x')).toBe(3);
  expect(fields(0).integer('x', { min: 0 })).toBe(0);
  for (const bad of [0, -1, 1.5, '3', true, [3], 2 ** 53, 1e999]) {
    expect(() => fields(bad).integer('x'), String(bad)).toThrow(
      /Expected x of config\.json to be a whole number of at least 1/,
    );
  }
});

test('integer takes whole numbers up to its maximum where it has one', () => {
  expect(fields(5).integer('x', { max: 5 })).toBe(5);
  expect(() => fields(6).integer('x', { max: 5 })).toThrow('to be a whole number from 1 to 5, got 6');
});

test('a missing field takes the fallback, and is named where there is none', () => {
  const empty = new ConfigFields({ y: null });
  expect(empty.integer('y', { fallback: 7 })).toBe(7);
  expect(empty.positive('x', 0.5)).toBe(0.5);
  expect(empty.choice('x', isLetter, 'a letter', 'b')).toBe('b');
  expect(() => empty.integer('x')).toThrow(
    'Expected x of config.json to be a whole number of at least 1, got nothing.',
  );
  expect(() => empty.positive('x')).toThrow(/Expected x .* got nothing/);
});

test('a divisor is a whole number above 0 that divides the other', () => {
  expect(fields(4).divisor('x', 'hidden_size', 12)).toBe(4);
  for (const bad of [0, -4, 5, 24, 1.5, '4', undefined]) {
    expect(() => fields(bad).divisor('x', 'hidden_size', 12)).toThrow(
      /x of config\.json to be a divisor of hidden_size 12/,
    );
  }
});

test('positive takes what float32 can hold above 0', () => {
  expect(fields(1e-12).positive('x')).toBe(1e-12);
  for (const bad of [0, -1, 1e-60, 1e39, Infinity, NaN, '1'])
    expect(() => fields(bad).positive('x')).toThrow(ConfigFieldError);
});

test('choice takes what is allowed and says what that is', () => {
  expect(fields('a').choice('x', isLetter, 'a or b')).toBe('a');
  expect(() => fields('c').choice('x', isLetter, 'a or b')).toThrow('Expected x of config.json to be a or b, got "c".');
});

test('fixed lets only its value and none through', () => {
  for (const fine of [false, null, undefined]) expect(() => fields(fine).fixed('x', false)).not.toThrow();
  expect(() => fields(true).fixed('x', false)).toThrow('Expected x of config.json to be false, got true.');
  expect(() => fields(0).fixed('x', false)).toThrow(ConfigFieldError);
});

test('any JSON gives a value of the right kind or a short error that names the field', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      try {
        expect(fields(json).integer('x', { fallback: 1 })).toBeGreaterThanOrEqual(1);
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigFieldError);
        expect((error as Error).message).toMatch(/^Expected x of config\.json [^]{1,300}$/);
      }
    }),
  );
});

test('a value of any depth and length is named in an error of bounded length', () => {
  for (const bad of [JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)), 'a'.repeat(1_000_000)])
    expect(() => fields(bad).integer('x')).toThrow(/^Expected x of config\.json to be a whole number.{1,200}$/);
});
