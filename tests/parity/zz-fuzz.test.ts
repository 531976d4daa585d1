import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import { tempFolder } from '../graph/temp-folder.ts';

/** `files` name their `contents`; `ids` name a list of one row a string. */
interface Golden {
  readonly strings: readonly string[];
  readonly contents: Readonly<Record<string, { readonly text: string } | { readonly base64: string }>>;
  readonly ids: Readonly<Record<string, readonly (readonly number[])[]>>;
  /** One long text, cut to so many tokens. */
  readonly cut: { readonly text: string; readonly maxTokens: number };
  readonly tokenizers: readonly {
    readonly name: string;
    readonly files: Readonly<Record<string, string>>;
    readonly ids: string;
    readonly cut: readonly number[];
  }[];
}

const path = fileURLToPath(new URL("file:///tmp/tok/fuzz.json.gz"));
const golden = JSON.parse(gunzipSync(readFileSync(path)).toString()) as Golden;
const bundled = fileURLToPath(new URL('../../models/sentence-transformers/all-MiniLM-L6-v2', import.meta.url));

test.each(golden.tokenizers.map((tokenizer) => [tokenizer.name, tokenizer] as const))(
  '%s gives the ids of transformers for every string, and for a text that is cut',
  async (_name, { files, ids, cut }) => {
    const folder = tempFolder();
    for (const [file, name] of Object.entries(files)) {
      const content = golden.contents[name]!;
      writeFileSync(join(folder, file), 'text' in content ? content.text : Buffer.from(content.base64, 'base64'));
    }
    const tokenizer = await Tokenizer.load(folder);
    expectSame(await encodeAll(tokenizer, golden.strings), golden.ids[ids]!);

    const [long] = await encodeAll(tokenizer, [golden.cut.text]);
    expect(long!.length).toBeGreaterThan(golden.cut.maxTokens);
    expect([...tokenizer.truncate(Int32Array.from(long!), golden.cut.maxTokens)]).toEqual(cut);
  },
);

test('the vocab.txt of all-MiniLM-L6-v2 gives the ids of its tokenizer.json for every string', async () => {
  const folder = tempFolder();
  for (const file of ['vocab.txt', 'tokenizer_config.json', 'special_tokens_map.json'])
    copyFileSync(join(bundled, file), join(folder, file));
  const built = await encodeAll(await Tokenizer.load(folder), golden.strings);
  expectSame(built, await encodeAll(await Tokenizer.load(bundled), golden.strings));
});

async function encodeAll(tokenizer: Tokenizer, texts: readonly string[]): Promise<number[][]> {
  const rows: number[][] = [];
  for await (const ids of tokenizer.encode(texts)) rows.push([...ids]);
  return rows;
}

/** Fails with the first few strings that differ instead of thousands of rows. */
function expectSame(got: readonly (readonly number[])[], expected: readonly (readonly number[])[]): void {
  expect(got.length).toBe(golden.strings.length);
  expect(expected.length).toBe(golden.strings.length);
  const wrong = golden.strings
    .map((string, index) => ({ string, expected: expected[index]!, got: got[index]! }))
    .filter((row) => row.expected.join() !== row.got.join());
  expect({ count: wrong.length, first: wrong.slice(0, 3) }).toEqual({ count: 0, first: [] });
}
