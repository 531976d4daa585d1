import { expect, test } from 'vitest';
import type { Item } from '../request/embed-request.ts';
import { readItems, type ReadRules } from './read-items.ts';

const text = (value: string): Item => ({ kind: 'text', text: value });
const tokens = (...ids: readonly number[]): Item => ({ kind: 'tokens', ids: Int32Array.from(ids) });
const hello = tokens(15_339, 1917); // hello world in cl100k_base

function read(items: readonly Item[], rules: Partial<ReadRules> = {}, signal?: AbortSignal) {
  return readItems(
    items,
    { tokenIds: 'tiktoken', maxRequestTokens: 300_000, maxInputCharacters: 1_000_000, ...rules },
    signal,
  );
}

test.each(['model', 'tiktoken', 'cl100k_base', 'o200k_base', 'reject'] as const)(
  'texts are left alone by token_ids=%s',
  async (tokenIds) => {
    const items = [text('a'), text('b')];
    expect(await read(items, { tokenIds })).toBe(items);
  },
);

test("the model's own ids stay what they are", async () => {
  const items = [text('a'), tokens(1, 2)];
  expect(await read(items, { tokenIds: 'model' })).toBe(items);
});

test('ids of an encoding become their text, between texts and in order', async () => {
  const wanted = [text('a'), text('hello world'), text('b'), text('hello world')];
  for (const tokenIds of ['tiktoken', 'cl100k_base'] as const)
    expect(await read([text('a'), hello, text('b'), hello], { tokenIds })).toEqual(wanted);
  expect(await read([tokens(24_912, 2375)], { tokenIds: 'o200k_base' })).toEqual([text('hello world')]);
});

test('refused ids are refused, naming the first item that has them', async () => {
  await expect(read([text('a'), hello, hello], { tokenIds: 'reject' })).rejects.toMatchObject({
    code: 'token_ids_rejected',
    details: { param: 'input[1]' },
  });
});

test.each([100_256, 100_261, 100_277, 2 ** 31 - 1])('%d, which cl100k_base does not have, is refused', async (bad) => {
  await expect(read([hello, tokens(15_339, bad)])).rejects.toMatchObject({
    code: 'tiktoken_id_unknown',
    details: { encoding: 'cl100k_base', got: bad, position: 1, param: 'input[1]' },
  });
});

test('a special token is its own name, as it is in the text', async () => {
  expect(await read([tokens(100_257)])).toEqual([text('<|endoftext|>')]);
});

test('ids that stand for too long a text are refused, naming the item', async () => {
  const rules = { maxInputCharacters: 11 };
  expect(await read([hello], rules)).toEqual([text('hello world')]);
  await expect(read([hello, tokens(15_339, 1917, 0)], rules)).rejects.toMatchObject({
    code: 'input_too_large',
    details: { got: 12, max: 11, param: 'input[1]' },
  });
});

test('more ids than a request may have are refused before they are read', async () => {
  expect(await read([hello, hello], { maxRequestTokens: 4 })).toHaveLength(2);
  await expect(read([hello, tokens(1, 2, 100_277)], { maxRequestTokens: 4 })).rejects.toMatchObject({
    code: 'max_tokens_per_request',
    details: { got: 5, max: 4 },
  });
});

test('other work gets its turn between the items of a large request, and an abort ends it', async () => {
  const large: Item = { kind: 'tokens', ids: new Int32Array(60_000).fill(220) };
  const items = [large, large, large];
  let turns = 0;
  const reading = read(items);
  let isDone = false;
  void reading.then(() => (isDone = true));
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  expect(turns).toBeGreaterThanOrEqual(items.length - 1);
  await expect(read(items, {}, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
});
