import { collectAddedTokens, numberTokens, resolveSpecials } from '../added-tokens.ts';
import { describe, readJsonObject } from '../read-file.ts';
import type { TokenizerClass } from '../tokenizer-classes.ts';
import { toTemplate } from '../tokenizer-json.ts';
import type { TokenizerSettings } from '../tokenizer-settings.ts';
import { appendsEosItself, flagOf } from '../tokenizer-settings.ts';
import { toBosFrame } from './sentencepiece-dialects.ts';
import { toBertNormalizer } from './word-piece.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * A tokenizer.json as transformers 4.52 loads it, which lets tokenizer_config.json overrule parts of it:
 *
 * - BERT's classes: case, accents and Chinese characters of a BertNormalizer.
 * - Llama's and Gemma's: the frame is rebuilt from `add_bos_token` and `add_eos_token`.
 * - Any class: `add_prefix_space` of a ByteLevel pre-tokenizer; tokens of `added_tokens_decoder` and special tokens that
 *   the file lacks.
 *
 * - Qwen2 with `tokenization_qwen.py`, the code of gte-Qwen2: the frame gets `eos_token` where `add_eos_token` is set.
 *
 * A file that transformers 5 wrote is complete and stays as it is, but for what the settings say of a BertNormalizer. The
 * frame of every other class stays, too.
 */
export function adjustTokenizerJson(
  file: string,
  settings: TokenizerSettings,
  { className, cls = noClass }: { readonly className: string; readonly cls?: TokenizerClass | undefined },
): Json {
  const json = readJsonObject(file);
  if (settings.values['backend'] === 'tokenizers') {
    // The mark of transformers 5, which lets only what the settings say overrule a normalizer.
    return cls.kind === 'WordPiece' ? { ...json, normalizer: amend(json['normalizer'], settings) } : json;
  }
  const tokens = allAddedTokens(json, settings, cls, file);
  const changed: Json = {
    ...json,
    added_tokens: tokens,
    normalizer: cls.kind === 'WordPiece' ? overrule(json['normalizer'], settings) : json['normalizer'],
    pre_tokenizer: withPrefixSpace(json['pre_tokenizer'], settings, cls),
  };
  const isOwnCode = appendsEosItself(settings);
  if (!framedBySettings.has(className) && !isOwnCode) return changed;
  const specials = resolveSpecials(settings, cls);
  const { before, after } = isOwnCode ? ({ before: [], after: ['eos_token'] } as const) : toBosFrame(settings);
  const names = (attributes: typeof before) =>
    attributes.map((attribute) => {
      const token = specials[attribute]?.content;
      if (token === undefined)
        throw new Error(`Expected ${attribute} in tokenizer_config.json beside ${file}: add_${attribute} asks for it.`);
      return token;
    });
  const ids = new Map(tokens.map(({ content, id }) => [content, id]));
  const idOf = (token: string) => ids.get(token)!; // every special token is among them
  return { ...changed, post_processor: toTemplate(names(before), names(after), idOf) };
}

const noClass: TokenizerClass = { kind: 'tokenizer.json', specials: {} };
const framedBySettings: ReadonlySet<string> = new Set(['LlamaTokenizer', 'CodeLlamaTokenizer', 'GemmaTokenizer']);

/** The file's own added tokens, then those that only the settings name. */
function allAddedTokens(json: Json, settings: TokenizerSettings, cls: TokenizerClass, file: string) {
  const own = json['added_tokens'] ?? [];
  const isToken = (token: unknown) => typeof token === 'object' && token !== null;
  if (!Array.isArray(own) || !own.every(isToken))
    throw new Error(`Expected a list of added_tokens in ${file}, got ${describe(own)}.`);
  const listed = own as readonly { readonly content: string; readonly id: number }[]; // the library checks them
  const flags = new Map(settings.addedTokens.map(({ id: _id, ...token }) => [token.content, token]));
  const tokens = listed.map((token) => ({ ...token, ...flags.get(token.content) }));
  const known = new Map(tokens.map(({ content, id }) => [content, id]));
  const wanted = collectAddedTokens([], settings, {
    specials: resolveSpecials(settings, cls),
    additional: cls.additional,
  });
  const missing = wanted.filter(({ content }) => !known.has(content));
  if (missing.length === 0) return tokens;
  const vocabulary = vocabularyOf(json);
  const size = [...known.values()].reduce((most, id) => Math.max(most, id + 1), vocabulary.size);
  return [...tokens, ...numberTokens(missing, { size, get: (token) => vocabulary.get(token) })];
}

/** Of any model of the library: an object of ids, or for Unigram a list of pairs. */
function vocabularyOf({ model }: Json): ReadonlyMap<string, number> {
  const vocab = (model as { readonly vocab?: unknown } | null | undefined)?.vocab;
  if (Array.isArray(vocab))
    return new Map(vocab.map((entry: unknown, id) => [Array.isArray(entry) ? entry[0] : '', id]));
  return new Map(Object.entries((vocab ?? {}) as Record<string, number>)); // the library checks them
}

function amend(normalizer: unknown, { values }: TokenizerSettings): unknown {
  if (typeof normalizer !== 'object' || normalizer === null || !('type' in normalizer)) return normalizer;
  if (normalizer.type !== 'BertNormalizer') return normalizer;
  const said = Object.entries(bertFields).filter(([, setting]) => typeof values[setting] === 'boolean');
  return { ...normalizer, ...Object.fromEntries(said.map(([field, setting]) => [field, values[setting]])) };
}

/** Fields of a BertNormalizer and the settings about them. */
const bertFields = {
  lowercase: 'do_lower_case',
  strip_accents: 'strip_accents',
  handle_chinese_chars: 'tokenize_chinese_chars',
} as const;

function overrule(normalizer: unknown, settings: TokenizerSettings): unknown {
  if (typeof normalizer !== 'object' || normalizer === null || !('type' in normalizer)) return normalizer;
  if (normalizer.type !== 'BertNormalizer') return normalizer;
  return { ...toBertNormalizer(settings), clean_text: 'clean_text' in normalizer ? normalizer.clean_text : true };
}

/** Where the settings are silent, the byte-level classes want none and a generic class has no opinion. */
function withPrefixSpace(preTokenizer: unknown, settings: TokenizerSettings, { kind }: TokenizerClass): unknown {
  if (typeof preTokenizer !== 'object' || preTokenizer === null || !('type' in preTokenizer)) return preTokenizer;
  const isSaid = kind === 'byte-level BPE' || typeof settings.values['add_prefix_space'] === 'boolean';
  if (preTokenizer.type !== 'ByteLevel' || !isSaid) return preTokenizer;
  return { ...preTokenizer, add_prefix_space: flagOf(settings, 'add_prefix_space', false) };
}
