import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mayUse } from './may-use.ts';

test.each([
  ['BAAI/bge-m3', 'BAAI/bge-m3', true],
  ['BAAI/bge-m3', 'BAAI/bge-m3-2', false],
  ['BAAI/*', 'BAAI/bge-m3', true],
  ['BAAI/*', 'baai/bge-m3', false],
  ['BAAI/*', 'xBAAI/bge-m3', false],
  ['*', '', true],
  ['*/bge-*', 'BAAI/bge-m3', true],
  ['*/bge-*-v1.5', 'BAAI/bge-v1.5', false], // no part is used twice
  ['aa*aa', 'aaa', false],
  ['aa*aa', 'aaaa', true],
  ['a.c', 'abc', false],
])('%s on %s: %s', (pattern, model, expected) => {
  expect(mayUse({ name: 'a', models: [pattern] }, model)).toBe(expected);
});

test('one fitting name of the list is enough, and without a list every model is', () => {
  expect(mayUse({ name: 'a', models: ['x', 'acme/*'] }, 'acme/tiny')).toBe(true);
  expect(mayUse({ name: 'a', models: ['x', 'y'] }, 'acme/tiny')).toBe(false);
  expect(mayUse({ name: 'a' }, 'acme/tiny')).toBe(true);
});

test('it is what the regular expression says', () => {
  const text = (...units: readonly string[]) => fc.string({ unit: fc.constantFrom(...units), maxLength: 8 });
  fc.assert(
    fc.property(text('a', 'b', '*'), text('a', 'b'), (pattern, model) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
      expect(mayUse({ name: 'a', models: [pattern] }, model)).toBe(expression.test(model));
    }),
  );
});
