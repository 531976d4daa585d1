import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type * as processModule from '../../src/tokenizer/process-encoder.ts';
import type * as tokenizerModule from '../../src/tokenizer/tokenizer.ts';
import { importBuilt } from '../built.ts';
import { tempFolder } from '../graph/temp-folder.ts';
import { goldens, writeTokenizer } from '../parity/tokenizer-goldens.ts';

// From dist: a process is started with a file that Node can run.
const { Tokenizer } = await importBuilt<typeof tokenizerModule>('tokenizer/tokenizer.ts');
const { openProcessEncoder } = await importBuilt<typeof processModule>('tokenizer/process-encoder.ts');

const limits = { loadMs: 20_000, callMs: 20_000, memoryBytes: 2_000_000_000 };
const evil = { Regex: '(a|a|aa)+$' };

/** A tokenizer.json of single words with these parts over it. */
function write(parts: Readonly<Record<string, unknown>>): string {
  const folder = tempFolder();
  const model = { type: 'WordLevel', vocab: { a: 0, b: 1 }, unk_token: 'a' };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ version: '1.0', added_tokens: [], model, ...parts }));
  return folder;
}

async function idsOf(tokenizer: tokenizerModule.Tokenizer, text: string): Promise<readonly number[]> {
  for await (const ids of tokenizer.encode([text])) return [...ids];
  return [];
}

test('a tokenizer gives the same ids in a process of its own', async () => {
  const { ids } = goldens.tokenizers.find(({ name }) => name === 'xlm-roberta')!;
  const encoder = await openProcessEncoder({ folder: writeTokenizer('xlm-roberta'), rules: {} });
  expect([encoder.before, encoder.after]).toEqual([1, 1]);
  const rows = await encoder.encode(goldens.strings);
  expect(rows.map((row) => [...row])).toEqual(goldens.ids[ids]);
  encoder.close();
  await expect(encoder.encode(['a'])).rejects.toThrow('has ended');
});

test('an expression that ends its process with some text fails that text alone', async () => {
  const folder = write({ pre_tokenizer: { type: 'Split', pattern: evil, behavior: 'Isolated', invert: false } });
  const tokenizer = await Tokenizer.load(folder, {}, 'acme/evil');
  expect(await idsOf(tokenizer, 'b')).toEqual([1]);
  await expect(idsOf(tokenizer, `${'a'.repeat(60)}!`)).rejects.toMatchObject({
    code: 'runner_crashed',
    message: expect.stringMatching(/`acme\/evil` stopped \(the process of its tokenizer ended by SIGABRT\)/),
  });
  expect(await idsOf(tokenizer, 'b')).toEqual([1]);
  tokenizer.close();
});

test('a text that takes too long or too much memory ends the process, and the next call starts another', async () => {
  const normalizer = { type: 'Replace', pattern: { String: 'a' }, content: 'b'.repeat(900_000) };
  const folder = write({ normalizer });
  const slow = await openProcessEncoder({ folder, rules: {} }, { ...limits, callMs: 300 });
  await expect(slow.encode(['a'.repeat(1000)])).rejects.toThrow(/took more than 0.3 s for one text/);
  expect([...(await slow.encode(['b']))[0]!]).toEqual([1]);
  slow.close();
  const large = await openProcessEncoder({ folder, rules: {} }, { ...limits, memoryBytes: 300e6 });
  await expect(large.encode(['a'.repeat(1000)])).rejects.toThrow(/took more than 300 MB/);
  expect([...(await large.encode(['b']))[0]!]).toEqual([1]);
  large.close();
});

test('a file that ends the process while it is loaded is refused in words', async () => {
  const pre_tokenizer = { type: 'Split', pattern: { Regex: '(?<a>\\g<a>)' }, behavior: 'Isolated', invert: false };
  await expect(Tokenizer.load(write({ pre_tokenizer }))).rejects.toThrow(/^Expected a tokenizer in /);
  await expect(openProcessEncoder({ folder: write({}), rules: {} }, { ...limits, loadMs: 1 })).rejects.toThrow(
    /that can be loaded: the process of its tokenizer took more than 0.001 s/,
  );
});

test('a tokenizer that can make no tokens of a text is refused when it is loaded', async () => {
  const model = { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'none' };
  await expect(Tokenizer.load(write({ model }))).rejects.toThrow(/that makes tokens of a text: /);
  // BERT's normaliser takes private characters out of a text: only a letter nobody knows asks for the unknown token.
  const pieces = { type: 'WordPiece', vocab: { a: 0, ab: 1, 1: 2, e: 3 }, unk_token: '[UNK]' };
  const fields = { continuing_subword_prefix: '##', max_input_chars_per_word: 100 };
  const normalizer = { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true };
  const folder = write({ normalizer, model: { ...pieces, ...fields }, pre_tokenizer: { type: 'BertPreTokenizer' } });
  await expect(Tokenizer.load(folder)).rejects.toThrow(/Missing \[UNK\]/);
});
