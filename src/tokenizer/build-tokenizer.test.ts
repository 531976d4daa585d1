import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { writeTokenizer } from '../../tests/parity/tokenizer-goldens.ts';
import { buildTokenizer } from './build-tokenizer.ts';
import { Tokenizer } from './tokenizer.ts';
import { findTokenizerSource } from './tokenizer-source.ts';

async function idsOf(folder: string, text: string): Promise<number[]> {
  const { value } = await (await Tokenizer.load(folder)).encode([text]).next();
  return [...value!];
}

/** What would stand in the tokenizer.json of a folder without one. */
function builtJson(folder: string): string {
  return JSON.stringify(buildTokenizer(findTokenizerSource(folder)!).json);
}

function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = tempFolder();
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  return folder;
}

const specials = '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n';
const bytes = { 'vocab.json': '{"<s>":0,"</s>":1,"<unk>":2,"a":3,"b":4,"ab":5}', 'merges.txt': '#version: 0.2\na b\n' };

test('a vocabulary may end its lines as Windows does, and hold any word', async () => {
  const folder = folderOf({ 'vocab.txt': `${specials}__proto__\nconstructor\n1\n0\n`.replaceAll('\n', '\r\n') });
  expect(await idsOf(folder, 'constructor 1 0')).toEqual([2, 6, 7, 8, 3]);
});

test('the last of two equal lines is the id of a piece, as in Python', async () => {
  expect(await idsOf(folderOf({ 'vocab.txt': `${specials}a\nb\na` }), 'a b')).toEqual([2, 7, 6, 3]);
});

test('special tokens that the vocabulary lacks come behind it', async () => {
  expect(await idsOf(folderOf({ 'vocab.txt': '[UNK]\na\n' }), 'a [MASK]')).toEqual([4, 1, 5, 2]);
});

test('of byte-level tokenizers GPT-2 gets bos where asked, and Qwen2 eos where its repository brings the code for it', async () => {
  const named = { bos_token: '<s>', eos_token: '</s>', add_bos_token: true, add_eos_token: true };
  const ids = (settings: object) =>
    idsOf(folderOf({ ...bytes, 'tokenizer_config.json': JSON.stringify({ ...named, ...settings }) }), 'ab');
  const ownCode = { auto_map: { AutoTokenizer: ['tokenization_qwen.Qwen2Tokenizer', null] } };
  expect(await ids({ tokenizer_class: 'GPT2Tokenizer' })).toEqual([0, 5]);
  expect(await ids({ tokenizer_class: 'Qwen2Tokenizer' })).toEqual([5]);
  expect(await ids({ tokenizer_class: 'Qwen2Tokenizer', ...ownCode })).toEqual([5, 1]);
  expect(await ids({ tokenizer_class: 'Qwen2Tokenizer', ...ownCode, add_eos_token: false })).toEqual([5]);
});

test('the code of gte-Qwen2 appends eos also beside a tokenizer.json', async () => {
  const tokens = Object.fromEntries(['bos_token', 'eos_token'].map((name, id) => [name, ['<s>', '</s>'][id]]));
  const source = folderOf({
    ...bytes,
    'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'Qwen2Tokenizer', ...tokens }),
  });
  const json = builtJson(source);
  const ids = (settings: object) =>
    idsOf(
      folderOf({
        'tokenizer.json': json,
        'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'Qwen2Tokenizer', ...tokens, ...settings }),
      }),
      'ab',
    );
  const ownCode = { auto_map: { AutoTokenizer: ['org/name--tokenization_qwen.Qwen2Tokenizer', 'x.Y'] } };
  expect(await ids({ add_eos_token: true })).toEqual([5]);
  expect(await ids({ add_eos_token: true, ...ownCode })).toEqual([5, 1]);
});

test('a tokenizer.json that transformers 5 wrote is not overruled', async () => {
  const config = { tokenizer_class: 'LlamaTokenizer', add_eos_token: true };
  const written = (more: object) =>
    idsOf(writeTokenizer('json-llama-silent', { 'tokenizer_config.json': JSON.stringify({ ...config, ...more }) }), '');
  expect(await written({})).toEqual([1, 2]);
  expect(await written({ backend: 'tokenizers' })).toEqual([]);
});

test('but for the case of a BertNormalizer, where the settings say it', async () => {
  const source = folderOf({ 'vocab.txt': `${specials}a\nA\n` });
  const json = builtJson(source);
  const ids = (settings: object) =>
    idsOf(
      folderOf({
        'tokenizer.json': json,
        'tokenizer_config.json': JSON.stringify({
          tokenizer_class: 'BertTokenizer',
          backend: 'tokenizers',
          ...settings,
        }),
      }),
      'A',
    );
  expect(await ids({})).toEqual(await ids({ do_lower_case: true }));
  expect(await ids({ do_lower_case: false })).not.toEqual(await ids({}));
});

test('texts stand alone where the frame is not wanted', async () => {
  const folder = folderOf({ 'vocab.txt': `${specials}a\n` });
  const tokenizer = await Tokenizer.load(folder, { special: false });
  const { value } = await tokenizer.encode(['a']).next();
  expect([tokenizer.specialTokens, [...value!]]).toEqual([0, [5]]);
});

test('every broken file is named, with what was expected and what came', async () => {
  const config = (settings: object) => ({ 'tokenizer_config.json': JSON.stringify(settings) });
  const broken: readonly [Readonly<Record<string, string | Uint8Array>>, RegExp][] = [
    [{ 'vocab.txt': Uint8Array.of(0xff, 0xfe) }, /UTF-8 text in .*vocab\.txt, got other bytes/],
    [{ 'vocab.txt': 'a\nb\n' }, /unknown token "\[UNK\]" on a line of .*vocab\.txt/],
    [{ ...bytes, 'vocab.json': '[]' }, /JSON object in .*vocab\.json, got \[\]/],
    [{ ...bytes, 'vocab.json': '{"a":-1}' }, /ids in .*vocab\.json, got "a": -1/],
    [{ ...bytes, 'vocab.json': '{"a"' }, /JSON in .*vocab\.json: /],
    [{ ...bytes, 'merges.txt': '#version\na b\na b c\n' }, /two tokens on line 3 of .*merges\.txt, got "a b c"/],
    [{ ...bytes, 'merges.txt': '#version\na x\n' }, /vocab\.json and .*merges\.txt: .*x/],
    [{ 'tokenizer.model': 'not a model' }, /SentencePiece model in .*tokenizer\.model: /],
    [{ 'vocab.txt': 'word\n', 'bpe.codes': '' }, /"<piece> <count>" on line 1 of .*vocab\.txt, got "word"/],
    [{ 'vocab.txt': specials, 'tokenizer_config.json': 'no' }, /JSON in .*tokenizer_config\.json: /],
    [
      { 'vocab.txt': specials, ...config({ added_tokens_decoder: { x: 'y' } }) },
      /added_tokens_decoder .* got "x": "y"/,
    ],
    [{ 'vocab.txt': specials, 'added_tokens.json': '{"x":"y"}' }, /ids in .*added_tokens\.json, got "x": "y"/],
    [{ 'tokenizer.json': '{"added_tokens": [null]}' }, /list of added_tokens in .*tokenizer\.json, got \[null\]/],
    [{ 'tokenizer.json': '{"added_tokens": 1}' }, /list of added_tokens in .*tokenizer\.json, got 1/],
  ];
  for (const [files, message] of broken) await expect(Tokenizer.load(folderOf(files))).rejects.toThrow(message);
  await expect(Tokenizer.load(tempFolder())).rejects.toThrow(/vocab\.json with merges\.txt.*There is none/);
});

test('a Llama frame without its token is refused', async () => {
  const settings = JSON.stringify({ tokenizer_class: 'LlamaTokenizer', bos_token: null });
  await expect(Tokenizer.load(writeTokenizer('json-llama-eos', { 'tokenizer_config.json': settings }))).rejects.toThrow(
    /Expected bos_token in tokenizer_config\.json/,
  );
});

test('a folder that stands in the place of a file is an error, not a crash', async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'vocab.txt'));
  await expect(Tokenizer.load(folder)).rejects.toThrow(/EISDIR/);
});
