import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { folderOf } from '../../tests/graph/model-folder.ts';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { findTokenizerSource } from './tokenizer-source.ts';

const config = (tokenizerClass: string) => ({ 'tokenizer_config.json': `{"tokenizer_class": "${tokenizerClass}"}` });

const empty = (...files: readonly string[]) => Object.fromEntries(files.map((file) => [file, '{}']));

function find(files: Readonly<Record<string, string>>) {
  const folder = tempFolder();
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  const source = findTokenizerSource(folder);
  return (
    source && { kind: source.kind, className: source.className, files: source.files.map((file) => basename(file)) }
  );
}

test('tokenizer.json comes before all other files', () => {
  expect(find(empty('vocab.txt', 'tokenizer.json', 'bpe.codes', 'tokenizer.model'))).toEqual({
    kind: 'tokenizer.json',
    className: undefined,
    files: ['tokenizer.json'],
  });
});

test('without a class the files decide whose rules hold', () => {
  expect(
    [
      ['vocab.txt'],
      ['vocab.txt', 'bpe.codes'],
      ['vocab.json', 'merges.txt'],
      ['sentencepiece.bpe.model'],
      ['spiece.model'],
      ['tokenizer.model'],
    ].map((files) => find(empty(...files))?.className),
  ).toEqual([
    'BertTokenizer',
    'PhobertTokenizer',
    'RobertaTokenizer',
    'XLMRobertaTokenizer',
    'T5Tokenizer',
    'LlamaTokenizer',
  ]);
});

test('a class picks its own files among several, with or without the ending Fast', () => {
  const files = { 'vocab.txt': '', 'spiece.model': '', 'bpe.codes': '' };
  expect(find({ ...files, ...config('AlbertTokenizerFast') })).toEqual({
    kind: 'SentencePiece',
    className: 'AlbertTokenizer',
    files: ['spiece.model'],
  });
  expect(find({ ...files, ...config('MPNetTokenizer') })?.files).toEqual(['vocab.txt']);
  expect(find({ ...files, 'config.json': '{"tokenizer_class": "PhobertTokenizer"}' })?.files).toEqual([
    'vocab.txt',
    'bpe.codes',
  ]);
});

test('a generic class, and one whose files are missing, leave the choice to the files', () => {
  for (const name of ['PreTrainedTokenizerFast', 'TokenizersBackend', 'GemmaTokenizer'])
    expect(find({ 'vocab.txt': '', ...config(name) })?.className).toBe('BertTokenizer');
});

test('a class without rules here is refused by name, unless there is a tokenizer.json', () => {
  const files = { 'vocab.txt': '', ...config('BertJapaneseTokenizer') };
  expect(() => find(files)).toThrow(/BertJapaneseTokenizer cannot be built from vocab\.txt/);
  expect(find({ ...files, 'tokenizer.json': '{}' })?.kind).toBe('tokenizer.json');
});

test('half a pair of files is no tokenizer, nor are settings alone', () => {
  for (const files of [['vocab.json'], ['merges.txt'], ['bpe.codes'], ['tokenizer_config.json'], []])
    expect(find(empty(...files))).toBeUndefined();
});

test('a class as long as a file is cut in the error', () => {
  const folder = folderOf({
    'vocab.txt': '[UNK]\n',
    'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'a'.repeat(100_000) }),
  });
  expect(() => findTokenizerSource(folder)).toThrow(/: a{80} cannot be built from vocab\.txt/);
});
