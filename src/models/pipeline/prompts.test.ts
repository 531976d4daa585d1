import { expect, test } from 'vitest';
import { folderOf } from '../../../tests/graph/model-folder.ts';
import { ConfigFieldError } from '../config-fields.ts';
import { readPrompts, readTruncateDim } from './prompts.ts';

const file = 'config_sentence_transformers.json';

test('prompts are read by name, null is none, and the default is one of them', () => {
  const prompts = { query: 'q: ', document: null };
  const { named, fallback } = readPrompts(folderOf({ [file]: { prompts, default_prompt_name: 'query' } }));
  expect([...named]).toEqual([
    ['query', 'q: '],
    ['document', ''],
  ]);
  expect(fallback).toBe('q: ');
  expect(readPrompts(folderOf({ [file]: { prompts, default_prompt_name: 'other' } })).fallback).toBeUndefined();
  for (const files of [{}, { [file]: {} }, { [file]: { prompts: null, default_prompt_name: null } }])
    expect(readPrompts(folderOf(files))).toEqual({ named: new Map(), fallback: undefined });
});

test('truncate_dim is a whole number or absent', () => {
  expect(readTruncateDim(folderOf({ [file]: { truncate_dim: 4 } }))).toBe(4);
  for (const files of [{}, { [file]: { truncate_dim: null } }])
    expect(readTruncateDim(folderOf(files))).toBeUndefined();
  expect(() => readTruncateDim(folderOf({ [file]: { truncate_dim: 0 } }))).toThrow(/truncate_dim of config_sentence/);
});

test.each([{ prompts: ['a'] }, { prompts: { a: 1 } }, { default_prompt_name: 1 }, '{'])(
  '%j is refused by name',
  (json) => {
    expect(() => readPrompts(folderOf({ [file]: json }))).toThrow(ConfigFieldError);
    expect(() => readPrompts(folderOf({ [file]: json }))).toThrow(file);
  },
);
