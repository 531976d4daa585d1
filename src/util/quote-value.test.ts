import { expect, test } from 'vitest';
import { quoteValue } from './quote-value.ts';

test('values are quoted as JSON and cut', () => {
  expect(quoteValue({ a: [1] }, 20)).toBe('{"a":[1]}');
  expect(quoteValue('a'.repeat(9), 5)).toBe('"aaaa...');
  expect(quoteValue(undefined, 20)).toBe('nothing');
});

test('a value of any depth is quoted', () => {
  const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
  expect(quoteValue(deep, 100)).toBe('a value of too many levels');
});
