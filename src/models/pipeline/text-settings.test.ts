import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderOf } from '../../../tests/graph/model-folder.ts';
import { ConfigFieldError } from '../config-fields.ts';
import { readTextSettings } from './text-settings.ts';

const read = (files: Readonly<Record<string, unknown>>) => {
  const folder = folderOf(files);
  return readTextSettings(folder, folder);
};

test('a folder without the files says nothing', () => {
  expect(read({})).toEqual({
    maxTokens: undefined,
    lowerCase: false,
    prompts: new Map(),
    defaultPrompt: undefined,
    truncateDimensions: undefined,
  });
});

test('max_seq_length counts before model_max_length, in the first file that is there', () => {
  const tokenizer = { 'tokenizer_config.json': { model_max_length: 99 } };
  expect(read({ 'sentence_bert_config.json': { max_seq_length: 20 }, ...tokenizer }).maxTokens).toBe(20);
  expect(
    read({ 'sentence_roberta_config.json': { max_seq_length: 21, do_lower_case: true }, ...tokenizer }),
  ).toMatchObject({
    maxTokens: 21,
    lowerCase: true,
  });
  expect(read({ 'sentence_bert_config.json': { max_seq_length: null }, ...tokenizer }).maxTokens).toBe(99);
  expect(
    read({ 'sentence_bert_config.json': {}, 'tokenizer_config.json': { model_max_length: 1e30 } }).maxTokens,
  ).toBeUndefined();
});

test('prompts are read by name, null is none, and the default is one of them', () => {
  const file = 'config_sentence_transformers.json';
  const prompts = { query: 'q: ', document: null };
  const settings = read({ [file]: { prompts, default_prompt_name: 'query', truncate_dim: 4 } });
  expect(settings).toMatchObject({ defaultPrompt: 'q: ', truncateDimensions: 4 });
  expect([...settings.prompts]).toEqual([
    ['query', 'q: '],
    ['document', ''],
  ]);
  expect(read({ [file]: { prompts, default_prompt_name: 'other' } }).defaultPrompt).toBeUndefined();
  expect(read({ [file]: { prompts: null } }).prompts.size).toBe(0);
});

test('the files of the first step are in its own folder, the prompts in that of the model', () => {
  const folder = folderOf({
    '0_Transformer/sentence_bert_config.json': { max_seq_length: 7 },
    'config_sentence_transformers.json': { prompts: { a: 'b' } },
  });
  const settings = readTextSettings(folder, join(folder, '0_Transformer'));
  expect([settings.maxTokens, settings.prompts.get('a')]).toEqual([7, 'b']);
});

test.each([
  ['sentence_bert_config.json', { max_seq_length: '512' }],
  ['sentence_bert_config.json', { max_seq_length: 0 }],
  ['sentence_bert_config.json', []],
  ['tokenizer_config.json', { model_max_length: -1 }],
  ['config_sentence_transformers.json', { prompts: ['a'] }],
  ['config_sentence_transformers.json', { prompts: { a: 1 } }],
  ['config_sentence_transformers.json', { default_prompt_name: 1 }],
  ['config_sentence_transformers.json', '{'],
])('%s with %j is refused by name', (file, json) => {
  expect(() => read({ [file]: json })).toThrow(ConfigFieldError);
  expect(() => read({ [file]: json })).toThrow(file);
});
