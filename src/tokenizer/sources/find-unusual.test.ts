import { expect, test } from 'vitest';
import { goldens, readGolden } from '../../../tests/parity/tokenizer-goldens.ts';
import { findUnusual } from './find-unusual.ts';

const model = { type: 'BPE', vocab: {}, merges: [] };
const split = (pattern: unknown) => ({ model, pre_tokenizer: { type: 'Split', pattern } });
const replace = (pattern: unknown, content: unknown) => ({ model, normalizer: { type: 'Replace', pattern, content } });

test('published tokenizers are usual', () => {
  for (const { name, files } of goldens.tokenizers) {
    if (!('tokenizer.json' in files)) continue;
    const json = JSON.parse(new TextDecoder().decode(readGolden(name, 'tokenizer.json')));
    expect(findUnusual(json), name).toBeUndefined();
  }
  expect(findUnusual(split({ String: ' ' }))).toBeUndefined();
  expect(findUnusual(replace({ Regex: ' {2,}' }, ' '))).toBeUndefined();
  expect(findUnusual(replace({ String: '``' }, '"'))).toBeUndefined();
});

test.each<[string, Parameters<typeof findUnusual>[0], RegExp]>([
  ['an expression that is not known', split({ Regex: '(a+)+$' }), /the pattern .*of the pre_tokenizer Split/],
  ['an empty text to split at', split({ String: '' }), /the pattern/],
  ['two patterns in one', split({ String: ' ', Regex: '(a+)+$' }), /the pattern/],
  [
    'an expression of a part in a part',
    {
      model,
      normalizer: {
        type: 'Sequence',
        normalizers: [{ type: 'Sequence', normalizers: [replace({ Regex: '(' }, '').normalizer] }],
      },
    },
    /the pattern/,
  ],
  ['a text that grows', replace({ String: 'a' }, 'aa'), /the content of the normalizer Replace/],
  [
    'a part that is not known',
    { model, pre_tokenizer: { type: 'FixedLength', length: 3 } },
    /the pre_tokenizer "FixedLength"/,
  ],
  ['a part without a type', { model, normalizer: { pattern: { Regex: '(a+)+' } } }, /the normalizer nothing/],
  [
    'rules that are applied twice',
    { model, normalizer: { type: 'Sequence', normalizers: [{ type: 'Precompiled' }, { type: 'Precompiled' }] } },
    /normalizers that repeat/,
  ],
  [
    'a long text before each',
    { model, normalizer: { type: 'Prepend', prepend: 'a'.repeat(17) } },
    /the text of the normalizer Prepend/,
  ],
  ['a long prefix', { model: { ...model, continuing_subword_prefix: 'a'.repeat(17) } }, /continuing_subword_prefix/],
  ['words of any length', { model: { type: 'WordPiece', max_input_chars_per_word: 1e6 } }, /max_input_chars_per_word/],
  [
    'a tree of gigabytes',
    { model: { type: 'Unigram', vocab: Array.from({ length: 5001 }, () => ['a'.repeat(1000), 0]) } },
    /the size of the vocabulary/,
  ],
  ['another model', { model: { type: 'Mystery' } }, /the model "Mystery"/],
])('%s is unusual', (_, json, what) => {
  expect(findUnusual(json)).toMatch(what);
});
