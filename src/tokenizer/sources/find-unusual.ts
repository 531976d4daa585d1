import { describe } from '../read-file.ts';
import { listComponents } from './check-tokenizer-json.ts';
import { usualPatterns } from './usual-patterns.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Says what in a tokenizer.json may cost any time or memory, or end the process, with some text: expressions that
 * backtrack, replacements that grow, parts that are not known here. Nothing for the usual ones, whose cost is bounded by
 * the length of the text. The file has passed `checkTokenizerJson`.
 */
export function findUnusual({
  normalizer,
  pre_tokenizer: splitter,
  post_processor: processor,
  model,
}: Json): string | undefined {
  const stages = [
    ['normalizer', listComponents(normalizer, 'normalizers'), usualNormalizers],
    ['pre_tokenizer', listComponents(splitter, 'pretokenizers'), usualSplitters],
    ['post_processor', listComponents(processor, 'processors'), usualProcessors],
  ] as const;
  for (const [stage, parts, usual] of stages) {
    for (const part of parts) {
      const { type } = part;
      if (typeof type !== 'string' || !usual.has(type)) return `the ${stage} ${describe(type)}`;
      const odd = findOddPattern(part) ?? findGrowth(part);
      if (odd !== undefined) return `${odd} of the ${stage} ${type}`;
    }
  }
  // Each may multiply the length of the text.
  const growing = stages[0][1].filter(
    ({ type }) => type === 'Precompiled' || type === 'Prepend' || type === 'ByteLevel',
  );
  if (new Set(growing.map(({ type }) => type)).size < growing.length) return 'normalizers that repeat';
  return findOddModel(model);
}

const usualNormalizers: ReadonlySet<string> = new Set([
  'BertNormalizer',
  'ByteLevel',
  'Lowercase',
  'NFC',
  'NFD',
  'NFKC',
  'NFKD',
  'Nmt',
  'Precompiled',
  'Prepend',
  'Replace',
  'Sequence',
  'Strip',
  'StripAccents',
]);
const usualSplitters: ReadonlySet<string> = new Set([
  'BertPreTokenizer',
  'ByteLevel',
  'Digits',
  'Metaspace',
  'Punctuation',
  'Sequence',
  'Split',
  'UnicodeScripts',
  'Whitespace',
  'WhitespaceSplit',
]);
const usualProcessors: ReadonlySet<string> = new Set([
  'BertProcessing',
  'ByteLevel',
  'RobertaProcessing',
  'Sequence',
  'TemplateProcessing',
]);
const usualModels: ReadonlySet<string> = new Set(['BPE', 'Unigram', 'WordLevel', 'WordPiece']);

const maxAffixCharacters = 16; // put before every character or piece of a text
// Unigram's pieces are branches of a tree, some 180 bytes a character; XLM-RoBERTa has 250,000 pieces of some 6.
const maxUnigramCharacters = 5_000_000;
const maxWordCharacters = 1000; // WordPiece tries every start and end of a word

function findOddPattern({ pattern }: Json): string | undefined {
  if (pattern === undefined) return undefined;
  const { Regex: expression, String: text } = (pattern ?? {}) as Json; // a primitive has neither
  if (typeof text === 'string' && text !== '' && expression === undefined) return undefined;
  if (typeof expression === 'string' && usualPatterns.has(expression) && text === undefined) return undefined;
  return `the pattern ${describe(pattern)}`;
}

/** What a Replace or Prepend puts in is at most as long as what it takes out, or one character. */
function findGrowth({ type, pattern, content, prepend }: Json): string | undefined {
  if (type === 'Prepend' && !isAffix(prepend)) return 'the text';
  if (type !== 'Replace') return undefined;
  const { String: text = '' } = (pattern ?? {}) as Json; // checked above
  const isShort = typeof content === 'string' && content.length <= Math.max(1, String(text).length);
  return isShort ? undefined : 'the content';
}

function findOddModel(model: unknown): string | undefined {
  const { type, ...fields } = (model ?? {}) as Json; // the library says what it wants of another value
  if (type !== undefined && (typeof type !== 'string' || !usualModels.has(type))) return `the model ${describe(type)}`;
  for (const affix of ['continuing_subword_prefix', 'end_of_word_suffix'])
    if (!isAffix(fields[affix] ?? '')) return `${affix} of the model`;
  if (countPieces(fields['vocab']) > maxUnigramCharacters) return 'the size of the vocabulary of the model';
  const most = fields['max_input_chars_per_word'] ?? 0;
  return typeof most === 'number' && most <= maxWordCharacters ? undefined : 'max_input_chars_per_word of the model';
}

/** Characters of the pieces of Unigram, which alone has a list of them. */
function countPieces(vocab: unknown): number {
  if (!Array.isArray(vocab)) return 0;
  return (vocab as readonly unknown[]).reduce<number>((sum, entry) => {
    const piece: unknown = Array.isArray(entry) ? entry[0] : '';
    return sum + (typeof piece === 'string' ? piece.length : 0);
  }, 0);
}

function isAffix(value: unknown): boolean {
  return typeof value === 'string' && value.length <= maxAffixCharacters;
}
