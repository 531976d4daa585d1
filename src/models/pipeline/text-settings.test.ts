import { expect, test } from 'vitest';
import { folderOf } from '../../../tests/graph/model-folder.ts';
import { ConfigFieldError } from '../config-fields.ts';
import { readTextSettings } from './text-settings.ts';

const read = (files: Readonly<Record<string, unknown>>) => readTextSettings(folderOf(files));

test('a folder without the files says nothing', () => {
  expect(read({})).toEqual({ maxTokens: undefined, lowerCase: false });
});

test('max_seq_length counts before model_max_length, in the first file that is there', () => {
  const tokenizer = { 'tokenizer_config.json': { model_max_length: 99 } };
  expect(read({ 'sentence_bert_config.json': { max_seq_length: 20 }, ...tokenizer }).maxTokens).toBe(20);
  const roberta = { max_seq_length: 21, do_lower_case: true };
  expect(read({ 'sentence_roberta_config.json': roberta, ...tokenizer })).toEqual({ maxTokens: 21, lowerCase: true });
  expect(read({ 'sentence_bert_config.json': { max_seq_length: null }, ...tokenizer }).maxTokens).toBe(99);
});

test('the number transformers writes for no limit is none', () => {
  const files = { 'sentence_bert_config.json': {}, 'tokenizer_config.json': { model_max_length: 1e30 } };
  expect(read(files).maxTokens).toBeUndefined();
});

test.each([
  ['sentence_bert_config.json', { max_seq_length: '512' }],
  ['sentence_bert_config.json', { max_seq_length: 0 }],
  ['sentence_bert_config.json', { do_lower_case: 1 }],
  ['sentence_bert_config.json', []],
  ['tokenizer_config.json', { model_max_length: -1 }],
  ['tokenizer_config.json', '{'],
])('%s with %j is refused by name', (file, json) => {
  expect(() => read({ [file]: json })).toThrow(ConfigFieldError);
  expect(() => read({ [file]: json })).toThrow(file);
});
