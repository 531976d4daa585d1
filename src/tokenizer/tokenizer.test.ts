import fc from 'fast-check';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { Tokenizer } from './tokenizer.ts';

const bundled = fileURLToPath(new URL('../../models/sentence-transformers/all-MiniLM-L6-v2', import.meta.url));
const json: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(join(bundled, 'tokenizer.json'), 'utf8'));
const minilm = await Tokenizer.load(bundled);
const [cls, sep] = [101, 102];

async function loadWith(changes: Readonly<Record<string, unknown>>): Promise<Tokenizer> {
  const folder = tempFolder();
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ ...json, ...changes }));
  return Tokenizer.load(folder);
}

async function encodeAll(tokenizer: Tokenizer, texts: readonly string[], signal?: AbortSignal): Promise<Int32Array[]> {
  const all: Int32Array[] = [];
  for await (const ids of tokenizer.encode(texts, signal)) all.push(ids);
  return all;
}

const idsOf = async (tokenizer: Tokenizer, ...texts: readonly string[]) =>
  (await encodeAll(tokenizer, texts)).map((ids) => [...ids]);

test('texts become the ids of the reference, special tokens included', async () => {
  expect(await idsOf(minilm, 'The quick brown fox', 'hello world', '')).toEqual([
    [101, 1996, 4248, 2829, 4419, 102],
    [101, 7592, 2088, 102],
    [101, 102],
  ]);
});

test('the padding and truncation blocks of the file do not count', async () => {
  expect([json['padding'], json['truncation']]).toMatchObject([{ pad_id: 0 }, { max_length: 128 }]); // the file has both
  const [short, long] = await encodeAll(minilm, ['a', 'word '.repeat(600)]);
  expect([...short!]).toEqual([cls, 1037, sep]);
  expect(long).toHaveLength(602);
});

test('a text gives the same ids alone and among others, in order', async () => {
  const texts = Array.from({ length: 150 }, (_, index) => 'token '.repeat(index % 7) + index);
  const together = await idsOf(minilm, ...texts);
  expect(together).toHaveLength(150);
  for (const index of [0, 63, 64, 65, 127, 128, 149])
    expect(together[index]).toEqual((await idsOf(minilm, texts[index]!))[0]);
  expect(await encodeAll(minilm, [])).toEqual([]);
});

test('texts above the size of one call come back whole and in order', async () => {
  const texts = ['a', 'b '.repeat(60_000), 'c '.repeat(60_000), 'd'];
  expect((await encodeAll(minilm, texts)).map((ids) => [ids.length, ids[1]])).toEqual([
    [3, 1037],
    [60_002, 1038],
    [60_002, 1039],
    [3, 1040],
  ]);
});

test('any text gives ids of the vocabulary between the special tokens', async () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
  ); // lone surrogates too
  await fc.assert(
    fc.asyncProperty(anyText, async (text) => {
      const [ids] = await encodeAll(minilm, [text]);
      expect([ids![0], ids!.at(-1)]).toEqual([cls, sep]);
      expect(ids!.every((id) => id >= 0 && id < 30_522)).toBe(true);
    }),
  );
});

test('truncating keeps the special tokens and the start of the content', async () => {
  expect(minilm.specialTokens).toBe(2);
  const ids = Int32Array.of(cls, 1, 2, 3, 4, sep);
  const cut = (maxTokens: number) => [...minilm.truncate(ids, maxTokens)];
  expect([6, 5, 3, 2, 1, 0].map(cut)).toEqual([
    [cls, 1, 2, 3, 4, sep],
    [cls, 1, 2, 3, sep],
    [cls, 1, sep],
    [cls, sep],
    [cls],
    [],
  ]);
  expect([...ids]).toEqual([cls, 1, 2, 3, 4, sep]);
});

test('the special tokens are counted on each side, whatever the template', async () => {
  const template = (single: readonly unknown[]) => ({
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: single,
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((id, index) => [id, { id, ids: [101 + index], tokens: [id] }]),
      ),
    },
  });
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const content = { Sequence: { id: 'A', type_id: 0 } };
  const ids = Int32Array.of(1, 2, 3, 4, 5, 6);
  const endOnly = await loadWith(template([content, special('[SEP]')]));
  expect([endOnly.specialTokens, [...endOnly.truncate(ids, 3)]]).toEqual([1, [1, 2, 6]]);
  const startOnly = await loadWith(template([special('[CLS]'), content]));
  expect([startOnly.specialTokens, [...startOnly.truncate(ids, 3)]]).toEqual([1, [1, 2, 3]]);
  const two = await loadWith(template([special('[CLS]'), content, special('[SEP]'), special('[SEP]')]));
  expect([two.specialTokens, [...two.truncate(ids, 4)]]).toEqual([3, [1, 2, 5, 6]]);
  const none = await loadWith({ post_processor: null });
  expect([none.specialTokens, [...none.truncate(ids, 3)], await idsOf(none, 'a', '')]).toEqual([
    0,
    [1, 2, 3],
    [[1037], []],
  ]);
});

test('a file that is no tokenizer is refused by name', async () => {
  for (const changes of [
    { model: null },
    { model: { type: 'BPE' } },
    { post_processor: { type: 'TemplateProcessing' } },
  ]) {
    await expect(loadWith(changes)).rejects.toThrow(/Expected a tokenizer in .*tokenizer\.json: /);
  }
  await expect(loadWith({ version: 'a'.repeat(100_000) })).rejects.toThrow(/^Expected a tokenizer in .{1,600}$/);
  await expect(Tokenizer.load(tempFolder())).rejects.toThrow(/tokenizer\.json/);
});

test('an abort stops between calls', async () => {
  await expect(encodeAll(minilm, ['a'], AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  const controller = new AbortController();
  const running = encodeAll(
    minilm,
    Array.from({ length: 1000 }, () => 'text'),
    controller.signal,
  );
  controller.abort(new Error('gone later')); // the first call has begun
  await expect(running).rejects.toThrow('gone later');
});

test('rules leave out special and unknown tokens, and lowercase first', async () => {
  const plain = await Tokenizer.load(bundled, { special: false, unknown: false });
  expect(await idsOf(plain, 'hello \u{1F9A9} world', '\u{1F9A9}')).toEqual([[7592, 2088], []]);
  expect(plain.endsInSpecial).toBe(false);
  expect(minilm.endsInSpecial).toBe(true);
  const cased = {
    ...json,
    normalizer: {
      type: 'BertNormalizer',
      lowercase: false,
      strip_accents: false,
      clean_text: true,
      handle_chinese_chars: true,
    },
  };
  const folder = tempFolder();
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(cased));
  expect(await idsOf(await Tokenizer.load(folder), 'Hello')).not.toEqual([[cls, 7592, sep]]);
  expect(await idsOf(await Tokenizer.load(folder, { lowerCase: true }), 'Hello')).toEqual([[cls, 7592, sep]]);
});
