import type { SpecialTokens } from '../added-tokens.ts';
import { collectAddedTokens, numberTokens, resolveSpecials } from '../added-tokens.ts';
import type { TokenizerClass } from '../tokenizer-classes.ts';
import type { AddedToken, Component, TokenizerJson } from '../tokenizer-json.ts';
import { toAddedToken, toTemplate } from '../tokenizer-json.ts';
import type { TokenizerSettings } from '../tokenizer-settings.ts';
import type { Dialect } from './sentencepiece-dialects.ts';
import { dialectOf } from './sentencepiece-dialects.ts';
import { deriveMerges } from './sentencepiece-merges.ts';
import type { SentencePieceModel } from './sentencepiece-model.ts';
import { readSentencePieceModel } from './sentencepiece-model.ts';

/**
 * A SentencePiece `.model` as transformers 4.52 converts it. Of the normaliser only the compiled rules count, as there:
 * what `add_dummy_prefix` and `remove_extra_whitespaces` would do is fixed by the class of the tokenizer.
 */
export function buildSentencePiece(
  file: string,
  settings: TokenizerSettings,
  { className, cls }: { readonly className: string; readonly cls: TokenizerClass },
): TokenizerJson {
  const model = readSentencePieceModel(file);
  const dialect = dialectOf(className);
  const specials = resolveSpecials(settings, cls);
  const vocabulary = dialect.toVocabulary(model, { specials, settings });
  const ids = new Map(vocabulary.map(([piece], id) => [piece, id]));
  const tokens = numberTokens(
    collectAddedTokens(ofModel(model, dialect), settings, {
      specials,
      additional: dialect.additional?.(settings) ?? cls.additional,
    }),
    { size: model.algorithm === 'bpe' ? ids.size : vocabulary.length, get: (token) => ids.get(token) },
  );
  for (const { content, id } of tokens) ids.set(content, id);
  const { before, after } = dialect.toFrame(settings);
  const names = (attributes: readonly (keyof SpecialTokens)[]) =>
    attributes.flatMap((attribute) => specials[attribute]?.content ?? []);
  return {
    version: '1.0',
    added_tokens: tokens,
    normalizer: dialect.toNormalizer(charsmapOf(model), settings),
    pre_tokenizer: dialect.toPreTokenizer(settings),
    post_processor: toTemplate(
      names(before),
      names(after),
      (token) => ids.get(token)!, // every special token has got an id above
    ),
    decoder: null,
    model: model.algorithm === 'bpe' ? toBpe(model, vocabulary, dialect) : toUnigram(model, vocabulary, dialect),
  };
}

/** Control pieces never come out of a text; user-defined ones are cut out of it first. */
function ofModel({ pieces }: SentencePieceModel, { turns = [] }: Dialect): readonly AddedToken[] {
  return pieces.flatMap(({ text, kind }) =>
    kind === 'normal' ? [] : [toAddedToken(text, { special: kind === 'control' || turns.includes(text) })],
  );
}

function charsmapOf({ charsmap }: SentencePieceModel): readonly Component[] {
  if (charsmap.length === 0) return [];
  return [{ type: 'Precompiled', precompiled_charsmap: Buffer.from(charsmap).toString('base64') }];
}

function toUnigram(model: SentencePieceModel, vocab: readonly (readonly [string, number])[], dialect: Dialect) {
  const unknown = dialect.unknownId ?? model.unknownId;
  return { type: 'Unigram', unk_id: unknown, vocab, byte_fallback: dialect.hasByteFallback };
}

function toBpe(model: SentencePieceModel, vocabulary: readonly (readonly [string, number])[], dialect: Dialect) {
  return {
    type: 'BPE',
    dropout: null,
    unk_token: model.unknownPiece,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: true,
    byte_fallback: dialect.hasByteFallback,
    vocab: Object.fromEntries(vocabulary.map(([piece], id) => [piece, id])),
    merges: deriveMerges(vocabulary, new Map(dialect.toMergeVocabulary(model))),
  };
}
