import type { AddedToken } from './tokenizer-json.ts';

export type SourceKind = 'tokenizer.json' | 'WordPiece' | 'byte-level BPE' | 'SentencePiece' | 'PhoBERT';

/** In the order in which transformers adds them to a vocabulary. */
export const specialAttributes = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;
export type SpecialAttribute = (typeof specialAttributes)[number];

export interface TokenizerClass {
  readonly kind: SourceKind;
  /** Special tokens where no file names others. Flags hold for a string that a file puts in the place, too. */
  readonly specials: Readonly<Partial<Record<SpecialAttribute, string>>>;
  readonly flags?: Readonly<Partial<Record<SpecialAttribute, Partial<AddedToken>>>>;
  readonly additional?: readonly string[];
}

const bertSpecials = {
  unk_token: '[UNK]',
  sep_token: '[SEP]',
  pad_token: '[PAD]',
  cls_token: '[CLS]',
  mask_token: '[MASK]',
};
const fairseqSpecials = {
  bos_token: '<s>',
  eos_token: '</s>',
  unk_token: '<unk>',
  sep_token: '</s>',
  pad_token: '<pad>',
  cls_token: '<s>',
  mask_token: '<mask>',
};
const stripsLeft = { mask_token: { lstrip: true } };
// No byte-level tokenizer normalises but Qwen2: the flag only says that these are looked for after the others.
const late = { normalized: true };
const lateAll = {
  bos_token: late,
  eos_token: late,
  unk_token: late,
  sep_token: late,
  pad_token: late,
  cls_token: late,
};

const bert: TokenizerClass = { kind: 'WordPiece', specials: bertSpecials };
const roberta: TokenizerClass = {
  kind: 'byte-level BPE',
  specials: fairseqSpecials,
  flags: { ...lateAll, ...stripsLeft },
};

/** The classes that tokenizer_config.json names, as transformers 4.52 defines them. */
export const tokenizerClasses: ReadonlyMap<string, TokenizerClass> = new Map<string, TokenizerClass>([
  ['BertTokenizer', bert],
  ['DistilBertTokenizer', bert],
  ['ElectraTokenizer', bert],
  ['ConvBertTokenizer', bert],
  ['MobileBertTokenizer', bert],
  ['MPNetTokenizer', { kind: 'WordPiece', specials: { ...fairseqSpecials, unk_token: '[UNK]' }, flags: stripsLeft }],
  ['RobertaTokenizer', roberta],
  ['LongformerTokenizer', roberta],
  [
    'GPT2Tokenizer',
    {
      kind: 'byte-level BPE',
      specials: { bos_token: '<|endoftext|>', eos_token: '<|endoftext|>', unk_token: '<|endoftext|>' },
      flags: lateAll,
    },
  ],
  [
    'Qwen2Tokenizer',
    {
      kind: 'byte-level BPE',
      specials: { eos_token: '<|endoftext|>', unk_token: '<|endoftext|>', pad_token: '<|endoftext|>' },
    },
  ],
  ['XLMRobertaTokenizer', { kind: 'SentencePiece', specials: fairseqSpecials, flags: stripsLeft }],
  [
    'CamembertTokenizer',
    {
      kind: 'SentencePiece',
      specials: fairseqSpecials,
      flags: stripsLeft,
      additional: ['<s>NOTUSED', '</s>NOTUSED', '<unk>NOTUSED'],
    },
  ],
  [
    'AlbertTokenizer',
    {
      kind: 'SentencePiece',
      specials: { ...bertSpecials, bos_token: '[CLS]', eos_token: '[SEP]', unk_token: '<unk>', pad_token: '<pad>' },
      flags: stripsLeft,
    },
  ],
  ['T5Tokenizer', { kind: 'SentencePiece', specials: { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' } }],
  ['LlamaTokenizer', { kind: 'SentencePiece', specials: { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>' } }],
  [
    'GemmaTokenizer',
    {
      kind: 'SentencePiece',
      specials: { bos_token: '<bos>', eos_token: '<eos>', unk_token: '<unk>', pad_token: '<pad>' },
    },
  ],
  ['PhobertTokenizer', { kind: 'PhoBERT', specials: fairseqSpecials }],
]);

/** Classes that say nothing about the files. */
export const genericClasses: ReadonlySet<string> = new Set(['PreTrainedTokenizer', 'TokenizersBackend']);
