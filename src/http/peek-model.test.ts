import { expect, test } from 'vitest';
import { peekModel } from './peek-model.ts';

const peek = (value: unknown): string | undefined => peekModel(Buffer.from(JSON.stringify(value)));

test('finds the model before and behind a long input', () => {
  const input = 'x'.repeat(10_000);
  expect(peek({ model: 'a/b', input })).toBe('a/b');
  expect(peek({ input, model: 'a/b' })).toBe('a/b');
  expect(peek({ input: 'x', model: 'a/b' })).toBe('a/b');
});

test('finds none in texts, in the middle of a long body, and in noise', () => {
  expect(peek({ input: '"model": "a/b"' })).toBeUndefined();
  expect(peek({ input: 'x'.repeat(2000), model: 'a/b', extra: 'y'.repeat(2000) })).toBeUndefined();
  expect(peekModel(Buffer.alloc(0))).toBeUndefined();
  expect(peekModel(Buffer.from([0xff, 0x22, 0]))).toBeUndefined();
});
