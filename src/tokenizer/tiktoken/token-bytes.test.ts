import fc from 'fast-check';
import { Tiktoken } from 'js-tiktoken/lite';
import cl100k from 'js-tiktoken/ranks/cl100k_base';
import o200k from 'js-tiktoken/ranks/o200k_base';
import { describe, expect, test } from 'vitest';
import { TokenBytes, type Ranks } from './token-bytes.ts';

const unicode = fc.string({
  unit: fc.oneof(
    fc.constantFrom(' ', '\n', 'the', '😀', '\u{feff}'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }),
  ),
});

describe.each([
  ['cl100k_base', cl100k, 100_277],
  ['o200k_base', o200k, 200_019],
] as const)('%s', async (_name, ranks: Ranks & { readonly pat_str: string }, size) => {
  const bytes = await TokenBytes.read(ranks);
  const reference = new Tiktoken(ranks);
  const known = new Map(Object.entries(ranks.special_tokens).map(([text, id]) => [id, Buffer.from(text)]));
  for (const line of ranks.bpe_ranks.split('\n')) {
    const [, offset, ...tokens] = line.split(' ');
    for (const [i, token] of tokens.entries()) known.set(Number(offset) + i, Buffer.from(token, 'base64'));
  }

  test('a text is what its tokens stand for', () => {
    fc.assert(
      fc.property(unicode, (text) => {
        const ids = Int32Array.from(reference.encode(text, [], []));
        expect(bytes.findUnknown(ids)).toBe(-1);
        expect(bytes.decode(ids)).toBe(text);
      }),
    );
  });

  test('every token stands for its own bytes, and no other id for anything', () => {
    const wrong: number[] = [];
    for (let id = 0; id < size + 10; id++) {
      const ids = Int32Array.of(id);
      const isUnknown = bytes.findUnknown(ids) === 0;
      if (isUnknown ? known.has(id) : bytes.decode(ids) !== known.get(id)?.toString()) wrong.push(id);
    }
    expect(wrong).toEqual([]);
    expect(bytes.findUnknown(Int32Array.of(5, size - 1, size, 6))).toBe(2);
    expect(bytes.findUnknown(Int32Array.of(-1, 2 ** 31 - 1))).toBe(0);
  });

  test('tokens cut anywhere give the replacement character where a character is cut in two', () => {
    const decode = (ids: readonly number[]): string =>
      new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(ids.map((id) => known.get(id)!)));
    fc.assert(
      fc.property(unicode, fc.nat(), (text, cut) => {
        const ids = reference.encode(text, [], []);
        const at = ids.length === 0 ? 0 : cut % ids.length;
        for (const part of [ids.slice(0, at), ids.slice(at)])
          expect(bytes.decode(Int32Array.from(part))).toBe(decode(part));
      }),
    );
  });
});

test('special tokens stand for their own names', async () => {
  const bytes = await TokenBytes.read(cl100k);
  expect(bytes.decode(Int32Array.of(15_339, 100_257, 1917))).toBe('hello<|endoftext|> world');
});

test('ids of random tokens that are no text at all are decoded as far as they are', async () => {
  const bytes = await TokenBytes.read(cl100k);
  const fire = Int32Array.from(new Tiktoken(cl100k).encode('\u{1fae0}')); // a melting face, in several tokens
  expect(fire.length).toBeGreaterThan(1);
  expect(bytes.decode(fire.subarray(0, 1))).toBe('\u{fffd}');
  expect(bytes.decode(fire.subarray(1))).toMatch(/^\u{fffd}+$/u);
});
