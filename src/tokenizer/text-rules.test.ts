import { expect, test } from 'vitest';
import { applyTextRules } from './text-rules.ts';

const file = {
  normalizer: { type: 'NFC' },
  post_processor: { type: 'TemplateProcessing' },
  model: { type: 'WordPiece', unk_token: '[UNK]' },
};

test('without a rule the file is passed on untouched', () => {
  expect(applyTextRules(file, {})).toEqual({ json: file, unknownToken: undefined });
});

test('special tokens go with the post-processor', () => {
  expect(applyTextRules(file, { special: false }).json).toEqual({ ...file, post_processor: null });
});

test('the token of unknown text is named where it is to be left out and the model has one', () => {
  expect(applyTextRules(file, { unknown: false }).unknownToken).toBe('[UNK]');
  expect(applyTextRules(file, { special: false }).unknownToken).toBeUndefined();
  for (const model of [{ type: 'Unigram', unk_id: 0 }, { unk_token: null }, undefined, null])
    expect(applyTextRules({ ...file, model }, { unknown: false }).unknownToken).toBeUndefined();
});

test('lowercasing comes before what the normalizer does, once', () => {
  const normalizerOf = (normalizer: unknown): unknown =>
    applyTextRules({ ...file, normalizer }, { lowerCase: true }).json['normalizer'];
  const lower = { type: 'Lowercase' };
  const nfc = { type: 'NFC' };
  expect(normalizerOf(nfc)).toEqual({ type: 'Sequence', normalizers: [lower, nfc] });
  expect(normalizerOf(null)).toEqual({ type: 'Sequence', normalizers: [lower] });
  expect(normalizerOf({ type: 'Sequence', normalizers: [nfc] })).toEqual({
    type: 'Sequence',
    normalizers: [lower, nfc],
  });
  expect(normalizerOf({ type: 'Sequence', normalizers: [nfc, lower] })).toEqual({
    type: 'Sequence',
    normalizers: [nfc, lower],
  });
});
