import { collectAddedTokens, resolveSpecials } from '../added-tokens.ts';
import { describe, readLines, readText } from '../read-file.ts';
import type { TokenizerClass } from '../tokenizer-classes.ts';
import type { TokenizerJson } from '../tokenizer-json.ts';
import { toTemplate } from '../tokenizer-json.ts';
import type { TokenizerSettings } from '../tokenizer-settings.ts';
import { phobertSplit, pythonWhitespace } from './usual-patterns.ts';

const blank = new RegExp(`^[${pythonWhitespace}]`);
const endOfWord = '</w>';
const unknown = '<unk>';

/**
 * PhoBERT's vocab.txt and bpe.codes, which have no fast tokenizer in transformers. What is unusual:
 *
 * - Words are runs of non-whitespace together with one line end behind them, which then is the last symbol of the word.
 * - Merges run over characters, the last of a word spelled with `</w>`. They need not be pieces of the vocabulary: a
 *   symbol that is none becomes the unknown token after the merging.
 * - A piece inside a word is listed with `@@` behind it, the last piece of a word bare.
 *
 * So the library gets a vocabulary of symbols, and `ids[its id]` is the id of the model.
 *
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/models/phobert/tokenization_phobert.py
 */
export function buildPhobert(
  { vocab, codes }: { readonly vocab: string; readonly codes: string },
  settings: TokenizerSettings,
  cls: TokenizerClass,
): { readonly json: TokenizerJson; readonly ids: Int32Array } {
  const specials = resolveSpecials(settings, cls);
  const pieces = readPieces(vocab, [specials.bos_token, specials.pad_token, specials.eos_token, specials.unk_token]);
  const unknownId = pieces.get(specials.unk_token?.content ?? unknown) ?? 3;
  const merges = readCodes(codes);

  const tokens = collectAddedTokens([], settings, { specials });
  const modelIds = numberAsListed(tokens, settings, pieces);
  const symbols = new Map<string, number>();
  const add = (symbol: string) => symbols.has(symbol) || symbols.set(symbol, symbols.size);
  for (const symbol of [unknown, ...modelIds.keys()]) add(symbol);
  for (const [left, right] of merges) for (const symbol of [left, right, left + right]) add(symbol);
  for (const piece of pieces.keys()) add(piece.endsWith('@@') ? piece.slice(0, -2) : piece + endOfWord);

  const idOf = (symbol: string) =>
    modelIds.get(symbol) ??
    pieces.get(symbol.endsWith(endOfWord) ? symbol.slice(0, -endOfWord.length) : `${symbol}@@`) ??
    unknownId;
  const json: TokenizerJson = {
    version: '1.0',
    added_tokens: tokens.map((token) => ({ ...token, id: symbols.get(token.content)! })), // added above
    normalizer: null,
    pre_tokenizer: {
      type: 'Split',
      pattern: { Regex: phobertSplit },
      behavior: 'Removed',
      invert: true, // what matches stays
    },
    post_processor: toTemplate(
      [specials.cls_token?.content ?? []].flat(),
      [specials.sep_token?.content ?? []].flat(),
      (token) => symbols.get(token)!, // added above
    ),
    decoder: null,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown,
      continuing_subword_prefix: null,
      end_of_word_suffix: endOfWord,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(symbols),
      merges,
    },
  };
  return { json, ids: Int32Array.from(symbols.keys(), idOf) };
}

/** Four special tokens, then a `<piece> <count>` a line. A repeated piece takes the number of the pieces so far, as in Python. */
function readPieces(file: string, first: readonly ({ readonly content: string } | undefined)[]): Map<string, number> {
  const pieces = new Map<string, number>(
    first.flatMap((token, id) => (token === undefined ? [] : [[token.content, id]])),
  );
  for (const [index, raw] of readLines(file).entries()) {
    const line = strip(raw);
    const space = line.lastIndexOf(' ');
    if (space < 0)
      throw new Error(`Expected "<piece> <count>" on line ${index + 1} of ${file}, got ${describe(line)}.`);
    pieces.set(line.slice(0, space), pieces.size);
  }
  return pieces;
}

/** `left right count` a line. What follows the last line end does not count, and other lines never match anything. */
function readCodes(file: string): readonly (readonly [string, string])[] {
  return readText(file)
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const [left, right, count, ...rest] = strip(line).split(new RegExp(`[${pythonWhitespace}]+`));
      if (left === undefined || right === undefined || count === undefined || rest.length > 0) return [];
      return [[left, right] as const];
    });
}

/** Ids of the added tokens: as listed, as in the vocabulary, otherwise behind both. */
function numberAsListed(
  tokens: ReturnType<typeof collectAddedTokens>,
  { addedTokens }: TokenizerSettings,
  pieces: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const ids = new Map(addedTokens.map(({ content, id }) => [content, id]));
  let next = new Set([...pieces.keys(), ...ids.keys()]).size;
  for (const { content } of tokens) if (!ids.has(content)) ids.set(content, pieces.get(content) ?? next++);
  return ids;
}

/** Character by character: an expression for the end would try every run of blanks inside a line from each of its places. */
function strip(line: string): string {
  let [start, end] = [0, line.length];
  while (start < end && blank.test(line.charAt(start))) start++;
  while (end > start && blank.test(line.charAt(end - 1))) end--;
  return line.slice(start, end);
}
