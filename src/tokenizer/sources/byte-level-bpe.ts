import { collectAddedTokens, numberTokens, resolveSpecials } from '../added-tokens.ts';
import { describe, readJsonObject, readLines } from '../read-file.ts';
import type { TokenizerClass } from '../tokenizer-classes.ts';
import type { Component, TokenizerJson } from '../tokenizer-json.ts';
import { toTemplate } from '../tokenizer-json.ts';
import type { TokenizerSettings } from '../tokenizer-settings.ts';
import { appendsEosItself, flagOf } from '../tokenizer-settings.ts';
import { qwenSplit } from './usual-patterns.ts';

/** How the byte-level classes differ. */
interface Dialect {
  readonly normalizer: Component | null;
  /** Splits the text before the bytes are merged; undefined: GPT-2's own expression, which the library has built in. */
  readonly split?: string;
  /** RoBERTa stands between its own tokens, GPT-2 gets bos where `add_bos_token` is set, Qwen2 nothing. */
  readonly frame: 'own' | 'bos' | 'none';
}

const gpt2: Dialect = { normalizer: null, frame: 'bos' };
const roberta: Dialect = { normalizer: null, frame: 'own' };
const dialects: ReadonlyMap<string, Dialect> = new Map<string, Dialect>([
  ['RobertaTokenizer', roberta],
  ['LongformerTokenizer', roberta],
  ['GPT2Tokenizer', gpt2],
  [
    'Qwen2Tokenizer',
    {
      normalizer: { type: 'NFC' },
      split: qwenSplit,
      frame: 'none',
    },
  ],
]);

/** vocab.json and merges.txt: byte-pair encoding over the 256 bytes, each byte spelled as one printable character. */
export function buildByteLevelBpe(
  { vocab, merges }: { readonly vocab: string; readonly merges: string },
  settings: TokenizerSettings,
  { className, cls }: { readonly className: string; readonly cls: TokenizerClass },
): TokenizerJson {
  const dialect = dialects.get(className);
  if (dialect === undefined) throw new Error(`No byte-level rules for ${className}. This is a bug.`);
  const vocabulary = readVocabulary(vocab);
  const specials = resolveSpecials(settings, cls);
  const tokens = numberTokens(collectAddedTokens([], settings, { specials }), vocabulary);
  const ids = new Map([...vocabulary, ...tokens.map(({ content, id }) => [content, id] as const)]);
  const { bos_token: bos, eos_token: eos, cls_token: first, sep_token: last } = specials;
  const hasBos = dialect.frame === 'bos' && flagOf(settings, 'add_bos_token', false);
  const before = dialect.frame === 'own' ? first : hasBos ? bos : undefined;
  const after = dialect.frame === 'own' ? last : appendsEosItself(settings) ? eos : undefined;
  return {
    version: '1.0',
    added_tokens: tokens,
    normalizer: dialect.normalizer,
    pre_tokenizer: toPreTokenizer(dialect, flagOf(settings, 'add_prefix_space', false)),
    post_processor: toTemplate(
      [before?.content ?? []].flat(),
      [after?.content ?? []].flat(),
      (token) => ids.get(token)!, // every special token has got an id above
    ),
    decoder: null,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(vocabulary),
      merges: readMerges(merges),
    },
  };
}

function readVocabulary(file: string): ReadonlyMap<string, number> {
  const entries = Object.entries(readJsonObject(file));
  for (const [token, id] of entries)
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > 0x7f_ff_ff_ff)
      throw new Error(`Expected ids in ${file}, got ${describe(token)}: ${describe(id)}.`);
  return new Map(entries as [string, number][]); // just checked
}

/** One pair a line, most important first. The first line is a version, which the oldest files have, or a comment like it. */
function readMerges(file: string): readonly (readonly [string, string])[] {
  return readLines(file).flatMap((line, index) => {
    if (line.trim() === '' || (index === 0 && line.startsWith('#version'))) return [];
    const [left, right, ...rest] = line.trim().split(/\s+/u);
    if (left === undefined || right === undefined || rest.length > 0)
      throw new Error(`Expected two tokens on line ${index + 1} of ${file}, got ${describe(line)}.`);
    return [[left, right] as const];
  });
}

function toPreTokenizer({ split }: Dialect, addPrefixSpace: boolean): Component {
  const bytes = {
    type: 'ByteLevel',
    add_prefix_space: addPrefixSpace,
    trim_offsets: true,
    use_regex: split === undefined,
  };
  if (split === undefined) return bytes;
  return {
    type: 'Sequence',
    pretokenizers: [{ type: 'Split', pattern: { Regex: split }, behavior: 'Isolated', invert: false }, bytes],
  };
}
