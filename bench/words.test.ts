import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { textOfTokens } from './words.ts';

test('every word is one token, and there are as many as asked for', () => {
  const file = join(import.meta.dirname, '../models/sentence-transformers/all-MiniLM-L6-v2/vocab.txt');
  const vocabulary = new Set(readFileSync(file, 'utf8').split('\n'));
  const words = textOfTokens(1002, 1).split(' ');
  expect(words).toHaveLength(1000);
  expect(words.filter((word) => !vocabulary.has(word))).toEqual([]);
});

test('short texts of different seeds differ', () => {
  const texts = Array.from({ length: 1000 }, (_, seed) => textOfTokens(8, seed));
  expect(new Set(texts).size).toBe(1000);
});
