import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import { tempFolder } from '../graph/temp-folder.ts';
import { goldens, writeTokenizer } from './tokenizer-goldens.ts';

const bundled = fileURLToPath(new URL('../../models/sentence-transformers/all-MiniLM-L6-v2', import.meta.url));

test.each(goldens.tokenizers.map((tokenizer) => [tokenizer.name, tokenizer] as const))(
  '%s gives the ids of transformers for every string, and for a text that is cut',
  async (name, { ids, cut }) => {
    const tokenizer = await Tokenizer.load(writeTokenizer(name));
    expectSame(await encodeAll(tokenizer, goldens.strings), goldens.ids[ids]!);

    const [long] = await encodeAll(tokenizer, [goldens.cut.text]);
    expect(long!.length).toBeGreaterThan(goldens.cut.maxTokens);
    expect([...tokenizer.truncate(Int32Array.from(long!), goldens.cut.maxTokens)]).toEqual(cut);
  },
);

test('the vocab.txt of all-MiniLM-L6-v2 gives the ids of its tokenizer.json for every string', async () => {
  const folder = tempFolder();
  for (const file of ['vocab.txt', 'tokenizer_config.json', 'special_tokens_map.json'])
    copyFileSync(join(bundled, file), join(folder, file));
  const built = await encodeAll(await Tokenizer.load(folder), goldens.strings);
  expectSame(built, await encodeAll(await Tokenizer.load(bundled), goldens.strings));
});

test('the goldens have frames of no token, of one on either side and of both', () => {
  const frames = ['llama-none', 'llama', 'llama-new', 'llama-eos'].map((name) => {
    const { ids } = goldens.tokenizers.find((tokenizer) => tokenizer.name === name)!;
    return goldens.ids[ids]![goldens.strings.indexOf('')];
  });
  expect(frames).toEqual([[], [1], [2], [1, 2]]);
});

async function encodeAll(tokenizer: Tokenizer, texts: readonly string[]): Promise<number[][]> {
  const rows: number[][] = [];
  for await (const ids of tokenizer.encode(texts)) rows.push([...ids]);
  return rows;
}

/** Fails with the first few strings that differ instead of thousands of rows. */
function expectSame(got: readonly (readonly number[])[], expected: readonly (readonly number[])[]): void {
  expect(got.length).toBe(goldens.strings.length);
  expect(expected.length).toBe(goldens.strings.length);
  const wrong = goldens.strings
    .map((string, index) => ({ string, expected: expected[index]!, got: got[index]! }))
    .filter((row) => row.expected.join() !== row.got.join());
  expect({ count: wrong.length, first: wrong.slice(0, 3) }).toEqual({ count: 0, first: [] });
}
