import { expect, test } from 'vitest';
import { readGolden } from '../../../tests/parity/tokenizer-goldens.ts';
import { checkTokenizerJson } from './check-tokenizer-json.ts';

const golden = JSON.parse(new TextDecoder().decode(readGolden('json-xlm-roberta-old', 'tokenizer.json')));
const charsmap = Buffer.from(golden.normalizer.precompiled_charsmap, 'base64');

const withRules = (precompiled_charsmap: unknown) => ({ normalizer: { type: 'Precompiled', precompiled_charsmap } });
const withUnit = (index: number, unit: number) => {
  const bytes = Buffer.from(charsmap);
  bytes.writeUInt32LE(unit, 4 + index * 4);
  return withRules(bytes.toString('base64'));
};

test('real files pass, also with the parts in sequences', () => {
  checkTokenizerJson(golden);
  checkTokenizerJson({
    normalizer: { type: 'Sequence', normalizers: [golden.normalizer] },
    post_processor: { type: 'Sequence', processors: [golden.post_processor] },
    model: { type: 'BPE', continuing_subword_prefix: '##', merges: ['a ##b', ['a', '##b##c']] },
  });
  checkTokenizerJson({ normalizer: null, post_processor: null, model: { merges: ['a b'] } });
});

test('normalisation rules that lead outside themselves are refused', () => {
  expect(() => checkTokenizerJson(withRules(7))).toThrow('expected precompiled_charsmap to be base64, got 7');
  expect(() => checkTokenizerJson(withRules(''))).toThrow('of 0 bytes');
  expect(() => checkTokenizerJson(withRules(charsmap.subarray(0, 100).toString('base64')))).toThrow('claim a trie');
  expect(() => checkTokenizerJson(withUnit(0, 0x7f_ff_fc_00))).toThrow(
    'unit 0 of its normalisation rules leads outside',
  );
  const garbled = Buffer.concat([charsmap, Buffer.of(0xff)]).toString('base64');
  expect(() => checkTokenizerJson({ normalizer: { normalizers: [withRules(garbled).normalizer] } })).toThrow('UTF-8');
});

test('a replacement that is not there is refused', () => {
  const units = charsmap.readUInt32LE(0) / 4;
  const unitAt = (index: number) => charsmap.readUInt32LE(4 + index * 4);
  const holder = Array.from({ length: units }, (_, index) => index).find(
    (index) => unitAt(index) >>> 31 === 0 && (unitAt(index) & 0x1_00) !== 0,
  )!;
  const value = holder ^ (unitAt(holder) >>> 10);
  expect(unitAt(value) >>> 31).toBe(1);
  expect(() => checkTokenizerJson(withUnit(value, 0xff_ff_ff_ff))).toThrow(
    `unit ${holder} of its normalisation rules has`,
  );
});

test('a template whose token has no id is refused', () => {
  const template = { single: [{ SpecialToken: { id: '<s>' } }], special_tokens: {} };
  expect(() => checkTokenizerJson({ post_processor: template })).toThrow('expected "<s>" of its template');
  expect(() => checkTokenizerJson({ post_processor: { processors: [template] } })).toThrow('expected "<s>"');
});

test('a merge without the prefix of inner pieces is refused', () => {
  const model = { continuing_subword_prefix: '##', merges: ['a b'] };
  expect(() => checkTokenizerJson({ model })).toThrow('expected "##" before the right half of every merge, got "a b"');
});

test.each<[string, Parameters<typeof checkTokenizerJson>[0], RegExp]>([
  ['lists in lists', { normalizer: JSON.parse('['.repeat(9000) + ']'.repeat(9000)) }, /at most 32 levels/],
  [
    'more parts than any tokenizer has',
    { normalizer: { type: 'Sequence', normalizers: Array.from({ length: 65 }, () => ({ type: 'NFC' })) } },
    /at most 64 normalizers, got 66/,
  ],
  ['pieces of no length', { pre_tokenizer: { type: 'FixedLength', length: 0 } }, /a length above 0, got 0/],
  ['a piece as long as a text', { model: { vocab: [['a'.repeat(1001), 0]] } }, /at most 1000 characters for a piece/],
  ['a piece of a vocabulary as long', { model: { vocab: { ['a'.repeat(1001)]: 0 } } }, /at most 1000 characters/],
  ['an id above any table', { model: { vocab: { a: 4_294_967_295 } } }, /an id for the piece "a", got 4294967295/],
  ['an added token without an id', { added_tokens: [{ content: 'a' }] }, /an id for the added token "a", got nothing/],
  ['an added token as long as a text', { added_tokens: [{ id: 0, content: 'a'.repeat(1001) }] }, /for an added token/],
  [
    'a template longer than texts',
    { post_processor: { single: Array.from({ length: 65 }, () => ({ Sequence: { id: 'A' } })), special_tokens: {} } },
    /at most 64 tokens in its template/,
  ],
  [
    'a token of a template that stands for many',
    { post_processor: { special_tokens: { a: { id: 'a', ids: Array.from({ length: 65 }, () => 0), tokens: ['a'] } } } },
    /at most 64 tokens in its template/,
  ],
])('%s are refused', (_, json, message) => {
  expect(() => checkTokenizerJson(json)).toThrow(message);
});

test('normalisation rules with a character that is no base64 are refused', () => {
  const text = charsmap.toString('base64');
  for (const bad of ['\u00ef', ' ', '=', '-'])
    expect(() => checkTokenizerJson(withRules(`${text.slice(0, 1000)}${bad}${text.slice(1000)}`))).toThrow(
      'to be base64',
    );
});

test('a replacement that would multiply every text is refused', () => {
  const long = Buffer.concat([charsmap, Buffer.alloc(101, 'a'), Buffer.of(0)]).toString('base64');
  expect(() => checkTokenizerJson(withRules(long))).toThrow('at most 100 bytes for each replacement');
});
