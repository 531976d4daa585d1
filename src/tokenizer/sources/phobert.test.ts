import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { tokenizerClasses } from '../tokenizer-classes.ts';
import { buildPhobert } from './phobert.ts';

function build(vocabulary: string) {
  const folder = tempFolder();
  const [vocab, codes] = [join(folder, 'vocab.txt'), join(folder, 'bpe.codes')];
  writeFileSync(vocab, vocabulary);
  writeFileSync(codes, '');
  const settings = { className: 'PhobertTokenizer', values: {}, addedTokens: [] };
  const { json, ids } = buildPhobert({ vocab, codes }, settings, tokenizerClasses.get('PhobertTokenizer')!);
  const symbols = json.model['vocab'] as Readonly<Record<string, number>>; // of every BPE model
  return (symbol: string) => ids[symbols[symbol]!];
}

test('blanks around a line of the vocabulary are no part of its piece', () => {
  const idOf = build('\u3000xin 12 \u2028\nch\u00e0o@@ 7\n');
  expect([idOf('xin</w>'), idOf('ch\u00e0o')]).toEqual([4, 5]);
});

test('a line with a million blanks inside is read in one pass', () => {
  expect(build(`a${' '.repeat(1_000_000)}b 3\n`)('<s>')).toBe(0);
});
