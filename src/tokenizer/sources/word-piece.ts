import { resolveSpecials, collectAddedTokens, numberTokens } from '../added-tokens.ts';
import { readLines } from '../read-file.ts';
import type { TokenizerClass } from '../tokenizer-classes.ts';
import type { Component, TokenizerJson } from '../tokenizer-json.ts';
import { toTemplate } from '../tokenizer-json.ts';
import type { TokenizerSettings } from '../tokenizer-settings.ts';
import { flagOf } from '../tokenizer-settings.ts';

/** BERT's vocab.txt: one piece a line, the line number is the id, `##` before what does not begin a word. */
export function buildWordPiece(file: string, settings: TokenizerSettings, cls: TokenizerClass): TokenizerJson {
  const vocabulary = new Map(readLines(file).map((piece, id) => [piece, id]));
  const specials = resolveSpecials(settings, cls);
  const unknown = specials.unk_token?.content ?? '[UNK]';
  if (!vocabulary.has(unknown))
    throw new Error(`Expected the unknown token ${JSON.stringify(unknown)} on a line of ${file}, it is on none.`);
  const tokens = numberTokens(collectAddedTokens([], settings, { specials }), vocabulary);
  const ids = new Map([...vocabulary, ...tokens.map(({ content, id }) => [content, id] as const)]);
  return {
    version: '1.0',
    added_tokens: tokens,
    normalizer: toBertNormalizer(settings),
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: toTemplate(
      [specials.cls_token?.content ?? []].flat(),
      [specials.sep_token?.content ?? []].flat(),
      (token) => ids.get(token)!, // every special token has got an id above
    ),
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: unknown,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary),
    },
  };
}

/** Accents go with the case unless `strip_accents` says otherwise: null means as `lowercase`. */
export function toBertNormalizer(settings: TokenizerSettings): Component {
  const strip = settings.values['strip_accents'];
  return {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: flagOf(settings, 'tokenize_chinese_chars', true),
    strip_accents: typeof strip === 'boolean' ? strip : null,
    lowercase: flagOf(settings, 'do_lower_case', true),
  };
}
