import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Item } from '../request/embed-request.ts';
import { encodeItems, type EncodeLimits } from './encode-items.ts';
import { Tokenizer } from './tokenizer.ts';

const tokenizer = await Tokenizer.load(
  fileURLToPath(new URL('../../models/sentence-transformers/all-MiniLM-L6-v2', import.meta.url)),
);
const wide: EncodeLimits = { maxTokens: 512, maxRequestTokens: 300_000, vocabulary: 30_522, truncate: false };
const text = (value: string): Item => ({ kind: 'text', text: value });
const tokens = (...ids: readonly number[]): Item => ({ kind: 'tokens', ids: Int32Array.from(ids) });

async function encode(items: readonly Item[], limits: Partial<EncodeLimits> = {}) {
  const encoded = await encodeItems(tokenizer, items, { ...wide, ...limits });
  return encoded.map(({ ids, ...rest }) => ({ ids: [...ids], ...rest }));
}

test('texts and token ids keep their order; ids get no special tokens', async () => {
  expect(await encode([tokens(7, 8), text('hello world'), tokens(0, 30_521), text('a')])).toEqual([
    { ids: [7, 8] },
    { ids: [101, 7592, 2088, 102] },
    { ids: [0, 30_521] },
    { ids: [101, 1037, 102] },
  ]);
});

test('the prompt stands before every text and no token ids', async () => {
  const [withPrompt, ids] = await encode([text('hello'), tokens(5)], { prompt: 'query: ' });
  expect(withPrompt).toEqual((await encode([text('query: hello')]))[0]);
  expect(ids).toEqual({ ids: [5] });
});

test('an item longer than the model is refused, naming the item and its length', async () => {
  const long = 'word '.repeat(20);
  await expect(encode([text('a'), text(long)], { maxTokens: 10 })).rejects.toMatchObject({
    code: 'context_length_exceeded',
    details: { got: 22, max: 10, param: 'input[1]' },
  });
  await expect(encode([tokens(1, 2, 3), tokens(1)], { maxTokens: 2 })).rejects.toMatchObject({
    code: 'context_length_exceeded',
    details: { got: 3, max: 2, param: 'input[0]' },
  });
  expect(await encode([tokens(1, 2)], { maxTokens: 2 })).toEqual([{ ids: [1, 2] }]); // exactly as long is fine
});

test('a sequence that begins with an id without a position may be one token longer', async () => {
  const limits = { maxTokens: 3, uncountedId: 101 };
  expect(await encode([text('hello world'), tokens(101, 5, 6, 7)], limits)).toHaveLength(2);
  await expect(encode([text('hello big world')], limits)).rejects.toMatchObject({ details: { got: 5, max: 3 } });
  for (const ids of [tokens(5, 101, 6, 7), tokens(101, 101, 5, 6, 7)])
    await expect(encode([ids], limits)).rejects.toMatchObject({ code: 'context_length_exceeded' });
});

test('a text with a token that the model does not have is refused', async () => {
  await expect(encode([text('a'), text('hello')], { vocabulary: 7000 })).rejects.toMatchObject({
    code: 'token_id_out_of_range',
    details: { got: 7592, position: 1, param: 'input[1]' },
  });
});

test('nothing is tokenised behind an item that is too long', async () => {
  const read: string[] = [];
  const counting: Pick<Tokenizer, 'encode'> = {
    async *encode(texts) {
      for (const value of texts) {
        read.push(value);
        yield Int32Array.from({ length: value.length });
      }
      return undefined;
    },
  };
  const items = ['a', 'too long', 'b'].map(text);
  await expect(encodeItems(counting as Tokenizer, items, { ...wide, maxTokens: 3 })).rejects.toMatchObject({
    details: { got: 8, param: 'input[1]' },
  });
  expect(read).toEqual(['a', 'too long']);
});

test('where cutting is wished, texts keep their special tokens and both say their full length', async () => {
  const cut = await encode([text('hello world hello world'), tokens(1, 2, 3, 4, 5), text('a')], {
    maxTokens: 4,
    truncate: true,
  });
  expect(cut).toEqual([
    { ids: [101, 7592, 2088, 102], fullLength: 6 },
    { ids: [1, 2, 3, 4], fullLength: 5 },
    { ids: [101, 1037, 102] },
  ]);
});

test('the tokens of a request are counted after cutting', async () => {
  const items = [text('a'), tokens(1, 2, 3)];
  expect(await encode(items, { maxRequestTokens: 6 })).toHaveLength(2);
  await expect(encode(items, { maxRequestTokens: 5 })).rejects.toMatchObject({
    code: 'max_tokens_per_request',
    details: { got: 6, max: 5 },
  });
  expect(await encode(items, { maxRequestTokens: 5, maxTokens: 2, truncate: true })).toHaveLength(2);
});

test('a token id outside the vocabulary is refused, naming the item, the position and the last id', async () => {
  for (const bad of [30_522, -1, 2 ** 31 - 1]) {
    await expect(encode([text('a'), tokens(3), tokens(4, 5, bad)])).rejects.toMatchObject({
      code: 'token_id_out_of_range',
      details: { got: bad, max: 30_521, position: 2, param: 'input[2]' },
    });
  }
});

test('an item without tokens is refused by name', async () => {
  await expect(encode([text('a'), tokens()])).rejects.toMatchObject({
    code: 'invalid_input',
    details: { param: 'input[1]' },
  });
});

test('an aborted request is not tokenised', async () => {
  await expect(encodeItems(tokenizer, [text('a')], wide, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
});

test('the tokens of a prompt that pooling leaves out are counted, without a special token at its end', async () => {
  const prompt = 'query: ';
  const skipping = { prompt, skipsPrompt: true };
  const [long, ids] = await encode([text('hello world'), tokens(5)], skipping);
  expect(long).toEqual({ ids: [101, 23_032, 1024, 7592, 2088, 102], skip: 3 });
  expect(ids).toEqual({ ids: [5] });
  expect(await encode([text('hello')], { ...skipping, prompt: '' })).toEqual([{ ids: [101, 7592, 102] }]);
});

test('of a text cut inside its prompt at least the last token is pooled', async () => {
  const cut = await encode([text('hello')], {
    prompt: 'a b c d e f: ',
    skipsPrompt: true,
    maxTokens: 4,
    truncate: true,
  });
  expect(cut).toMatchObject([{ ids: { length: 4 }, skip: 3 }]);
});
