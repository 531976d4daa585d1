import type { SpecialTokens } from '../added-tokens.ts';
import type { SpecialAttribute } from '../tokenizer-classes.ts';
import type { Component } from '../tokenizer-json.ts';
import type { TokenizerSettings } from '../tokenizer-settings.ts';
import { flagOf } from '../tokenizer-settings.ts';
import type { SentencePieceModel } from './sentencepiece-model.ts';

type Scored = readonly (readonly [piece: string, score: number])[];

/** How the classes differ that read SentencePiece models. */
export interface Dialect {
  /** Pieces in the order of the ids of the checkpoint's embedding. */
  toVocabulary(
    model: SentencePieceModel,
    context: { readonly specials: SpecialTokens; readonly settings: TokenizerSettings },
  ): Scored;
  /** Pieces that may be parts of merges, with their ids in the model. */
  toMergeVocabulary(model: SentencePieceModel): Scored;
  toNormalizer(charsmap: readonly Component[], settings: TokenizerSettings): Component | null;
  toPreTokenizer(settings: TokenizerSettings): Component | null;
  /** Which special tokens stand before and after every text. */
  toFrame(settings: TokenizerSettings): {
    readonly before: readonly SpecialAttribute[];
    readonly after: readonly SpecialAttribute[];
  };
  /** In `toVocabulary`; the model's own where absent. */
  readonly unknownId?: number;
  readonly hasByteFallback: boolean;
  /** User-defined pieces that count as special. */
  readonly turns?: readonly string[];
  /** Additional special tokens where the settings name none. */
  additional?(settings: TokenizerSettings): readonly string[];
}

/** @throws Error for a class that is none of the table; that is a bug of the table of classes */
export function dialectOf(className: string): Dialect {
  const dialect = dialects.get(className);
  if (dialect === undefined) throw new Error(`No SentencePiece rules for ${className}. This is a bug.`);
  return dialect;
}

const plain: Dialect = {
  toVocabulary: ({ pieces }) => pieces.map(({ text, score }) => [text, score]),
  toMergeVocabulary: ({ pieces }) => pieces.map(({ text }, id) => [text, id]),
  toNormalizer: (charsmap) =>
    sequence([...charsmap, { type: 'Strip', strip_left: false, strip_right: true }, replace({ Regex: ' {2,}' }, '▁')]),
  toPreTokenizer: (settings) =>
    metaspace({ prepend: flagOf(settings, 'add_prefix_space', true) ? 'always' : 'never', split: true }),
  toFrame: () => ({ before: ['cls_token'], after: ['sep_token'] }),
  hasByteFallback: false,
};

/** Vocabularies of fairseq put four tokens of their own before the pieces and the mask behind them. */
const xlmRoberta: Dialect = {
  ...plain,
  toVocabulary: ({ pieces }) => [
    ...['<s>', '<pad>', '</s>', '<unk>'].map((token) => [token, 0] as const),
    ...pieces.slice(3).map(({ text, score }) => [text, score] as const),
    ['<mask>', 0],
  ],
  unknownId: 3,
};

const camembert: Dialect = {
  ...plain,
  toVocabulary: ({ pieces }) => [
    ...['<s>NOTUSED', '<pad>', '</s>NOTUSED', '<unk>'].map((token) => [token, 0] as const),
    ['<unk>NOTUSED', -100],
    ...pieces.slice(1).map(({ text, score }) => [text, score] as const),
    ['<mask>', 0],
  ],
  unknownId: 3,
};

const albert: Dialect = {
  ...plain,
  // A number with a comma behind it is nearly never one piece.
  toVocabulary: ({ pieces }) =>
    pieces.map(({ text, score }) => [text, /\p{Nd},$/u.test(text) ? score - 100 : score] as const),
  toNormalizer: (charsmap, settings) =>
    sequence([
      replace({ String: '``' }, '"'),
      replace({ String: "''" }, '"'),
      ...(flagOf(settings, 'keep_accents', false) ? [] : [{ type: 'NFKD' }, { type: 'StripAccents' }]),
      ...(flagOf(settings, 'do_lower_case', true) ? [{ type: 'Lowercase' }] : []),
      ...charsmap,
      replace({ Regex: ' {2,}' }, ' '),
    ]),
};

const t5: Dialect = {
  ...plain,
  toVocabulary: ({ pieces }, { settings }) => [
    ...pieces.map(({ text, score }) => [text, score] as const),
    ...sentinels(settings).map((token) => [token, 0] as const),
  ],
  toFrame: () => ({ before: [], after: ['eos_token'] }),
  additional: sentinels,
};

const llama: Dialect = {
  ...plain,
  toNormalizer: (_charsmap, settings) =>
    isLegacy(settings)
      ? sequence([
          ...(flagOf(settings, 'add_prefix_space', true) ? [{ type: 'Prepend', prepend: '▁' }] : []),
          replace({ String: ' ' }, '▁'),
        ])
      : null,
  toPreTokenizer: (settings) =>
    isLegacy(settings)
      ? null
      : metaspace({ prepend: flagOf(settings, 'add_prefix_space', true) ? 'first' : 'never', split: false }),
  toFrame: toBosFrame,
  unknownId: 0,
  hasByteFallback: true,
};

const gemma: Dialect = {
  ...plain,
  // The oldest models lack the tab: its byte stands for it.
  toVocabulary: ({ pieces }, { specials }) => {
    const names = [specials.pad_token, specials.eos_token, specials.bos_token];
    const hasTab = pieces.some(({ text }) => text === '\t');
    return pieces.map(({ text, score }, id) => [
      names[id]?.content ?? (text === '<0x09>' && !hasTab ? '\t' : text),
      id < names.length ? 0 : score,
    ]);
  },
  toMergeVocabulary: ({ pieces }) => [
    ...pieces.map(({ text }, id) => [text, id] as const),
    ...(pieces.some(({ text }) => text === '\t')
      ? []
      : pieces.flatMap(({ text }, id) => (text === '<0x09>' ? [['\t', id] as const] : []))),
  ],
  toNormalizer: () => replace({ String: ' ' }, '▁'),
  toPreTokenizer: () => ({
    type: 'Split',
    pattern: { String: ' ' },
    behavior: 'MergedWithPrevious',
    invert: false,
  }),
  toFrame: toBosFrame,
  unknownId: 3,
  hasByteFallback: true,
  turns: ['<start_of_turn>', '<end_of_turn>'],
};

const dialects: ReadonlyMap<string, Dialect> = new Map([
  ['XLMRobertaTokenizer', xlmRoberta],
  ['CamembertTokenizer', camembert],
  ['AlbertTokenizer', albert],
  ['T5Tokenizer', t5],
  ['LlamaTokenizer', llama],
  ['GemmaTokenizer', gemma],
]);

/** The classes whose frame is decided by the settings, tokenizer.json or not. */
export function toBosFrame(settings: TokenizerSettings): ReturnType<Dialect['toFrame']> {
  return {
    before: flagOf(settings, 'add_bos_token', true) ? ['bos_token'] : [],
    after: flagOf(settings, 'add_eos_token', false) ? ['eos_token'] : [],
  };
}

/** Legacy: every stretch of text between special tokens begins with a space, not only the first. */
function isLegacy(settings: TokenizerSettings): boolean {
  return flagOf(settings, 'legacy', true);
}

function sentinels({ values }: TokenizerSettings): readonly string[] {
  const count = values['extra_ids'];
  const wanted = typeof count === 'number' && count >= 0 && count <= maxSentinels ? Math.floor(count) : 100;
  return Array.from({ length: wanted }, (_, index) => `<extra_id_${wanted - 1 - index}>`);
}
const maxSentinels = 10_000; // T5 has 100

function sequence(normalizers: readonly Component[]): Component {
  return { type: 'Sequence', normalizers };
}

function replace(pattern: { readonly String: string } | { readonly Regex: string }, content: string): Component {
  return { type: 'Replace', pattern, content };
}

function metaspace({ prepend, split }: { readonly prepend: string; readonly split: boolean }): Component {
  return { type: 'Metaspace', replacement: '▁', prepend_scheme: prepend, split };
}
