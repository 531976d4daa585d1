/** Paths that must not be followed; `outside` is a folder beside the models. */
export function hostilePaths(outside: string): readonly string[] {
  return [
    `${outside}/canary.txt`,
    `${outside}/canary.json`,
    `${outside}/canary.safetensors`,
    `${outside}/canary.bin`,
    `${outside}/pipe`,
    '../outside/canary.txt',
    '../../outside/canary.json',
    '../../../outside/canary.safetensors',
    '/etc/passwd',
    '/dev/zero',
    '..',
    '/',
    '.',
    '',
    'a\0b',
    '..\\..\\outside',
    'model.safetensors/../../outside/canary.safetensors',
  ];
}

const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype', 'length'];

/** Keys that mean something to JavaScript, or to nobody. */
export const hostileKeys: readonly string[] = [...names, '', '\0', '\ud800', 'é', 'a'.repeat(5000), '0', '-1'];

/** Values that stand for JSON which no reader expects; `nesting` is put in as text, since nothing here can hold it. */
export const nesting = 'NESTING-4b1d';

/** JSON values to put in the place of others. */
export function hostileValues(outside: string): readonly unknown[] {
  const numbers = [0, -1, 1, 2, 1.5, 1e-320, 1e308, 1e6, 1e9, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 63), 1e20, 7];
  const evil = { Regex: '(a|a|aa)+$|(\\w+\\s?)+\\1' };
  return [
    null,
    true,
    false,
    ...numbers,
    ...numbers.map(String),
    'NaN',
    'text',
    '\ud800',
    'a'.repeat(100_000),
    [],
    {},
    [null],
    [[]],
    [[[[[[[[[[]]]]]]]]]],
    Array.from({ length: 3000 }, (_, index) => index),
    Array.from({ length: 3000 }, () => ({})),
    JSON.parse('{"__proto__": {"model_type": "bert", "polluted": 1}}'),
    { constructor: { prototype: { polluted: 1 } } },
    nesting,
    ...names,
    ...hostilePaths(outside),
    // Parts of a tokenizer.json
    { type: 'Replace', pattern: { String: '' }, content: 'x'.repeat(1000) },
    { type: 'Replace', pattern: { String: 'a' }, content: 'aa'.repeat(500) },
    { type: 'Replace', pattern: evil, content: '' },
    { type: 'Replace', pattern: { Regex: '(' }, content: '' },
    { type: 'Replace', pattern: { Regex: '' }, content: 'y' },
    { type: 'Split', pattern: evil, behavior: 'Isolated', invert: false },
    { type: 'Split', pattern: { String: '' }, behavior: 'Removed', invert: true },
    { type: 'Split', pattern: { Regex: '' }, behavior: 'Contiguous', invert: false },
    { type: 'FixedLength', length: 0 },
    { type: 'FixedLength', length: 2 ** 40 },
    { type: 'Precompiled', precompiled_charsmap: 'AAAA' },
    { type: 'Prepend', prepend: 'z'.repeat(100_000) },
    { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    { type: 'ByteLevel' },
    { type: 'NFKD' },
    { type: 'Strip', strip_left: true, strip_right: true },
    { type: 'StripAccents' },
    { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    { type: 'Metaspace', replacement: '', prepend_scheme: 'never' },
    { type: 'Punctuation', behavior: 'Isolated' },
    { type: 'Digits', individual_digits: true },
    { type: 'CharDelimiterSplit', delimiter: 'a' },
    { type: 'UnicodeScripts' },
    { type: 'WhitespaceSplit' },
    { type: 'Sequence', normalizers: Array.from({ length: 60 }, () => ({ type: 'NFKC' })) },
    { type: 'Sequence', pretokenizers: [] },
    { type: 'Sequence', processors: [{ type: 'Sequence', processors: [] }] },
    { type: 'BertProcessing', sep: ['[SEP]', 2 ** 31], cls: ['[CLS]', 0] },
    { type: 'RobertaProcessing', sep: ['a', 0], cls: ['', 1], trim_offsets: false, add_prefix_space: true },
    { type: 'TemplateProcessing', single: [], pair: [], special_tokens: {} },
    { type: 'TemplateProcessing', single: '$A $A $A', pair: '$A $B', special_tokens: {} },
    { type: 'TemplateProcessing', single: [{ Sequence: { id: 'B', type_id: 0 } }], pair: [], special_tokens: {} },
    { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'b' },
    { type: 'Unigram', vocab: [['a', 0]], unk_id: 5 },
    {
      type: 'Unigram',
      vocab: [
        ['', 0],
        ['a'.repeat(900), -1],
      ],
      unk_id: 0,
    },
    { type: 'Unigram', vocab: [['x', -1]], unk_id: null },
    { type: 'Unigram', vocab: [], unk_id: null, byte_fallback: true },
    { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b', 'ab ab', 'b ab'], unk_token: 'c' },
    { type: 'BPE', vocab: { a: 0, aa: 4294967295 }, merges: [['a', 'a']] },
    {
      type: 'BPE',
      vocab: { a: 0 },
      merges: [],
      dropout: 0.5,
      continuing_subword_prefix: '##',
      end_of_word_suffix: 'é',
    },
    { type: 'BPE', vocab: {}, merges: [], byte_fallback: true, fuse_unk: true, unk_token: '<unk>' },
    { type: 'WordPiece', vocab: {}, unk_token: '', continuing_subword_prefix: '', max_input_chars_per_word: 0 },
    {
      type: 'WordPiece',
      vocab: { a: 0 },
      unk_token: 'a',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 1e15,
    },
    { id: 2 ** 31, content: '', single_word: true, lstrip: true, rstrip: true, normalized: true, special: true },
    { id: 0, content: 'a', single_word: true, lstrip: true, rstrip: true, normalized: true, special: false },
    { content: '\u0301', id: 3, special: true },
  ];
}

/** Texts that tokenizers are tried with: runs, marks, halves of characters, special tokens. */
export const hostileTexts: readonly string[] = [
  '',
  ' ',
  '\0',
  '\ud800',
  'a'.repeat(30),
  `${'a'.repeat(200)}!`,
  `${'a '.repeat(200)}!`,
  ' '.repeat(500),
  '\n\r\n '.repeat(100),
  'e\u0301\u0323'.repeat(50),
  '\u{10fffd}\ufdfa\u200d',
  '[CLS] <s> </s> <pad> [MASK]<mask> <|endoftext|>',
  'The quick brown fox, 1234567890; naïve café. 中文 にほんご 한국어 العربية',
];
