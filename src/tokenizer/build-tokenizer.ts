import { adjustTokenizerJson } from './sources/tokenizer-json-file.ts';
import { buildByteLevelBpe } from './sources/byte-level-bpe.ts';
import { buildPhobert } from './sources/phobert.ts';
import { buildSentencePiece } from './sources/sentencepiece.ts';
import { buildWordPiece } from './sources/word-piece.ts';
import type { TokenizerJson } from './tokenizer-json.ts';
import type { TokenizerSource } from './tokenizer-source.ts';

export interface BuiltTokenizer {
  /** Of the native library. */
  readonly json: TokenizerJson | (Readonly<Record<string, unknown>> & { readonly post_processor?: unknown });
  /** `ids[native id]` is the model's id, where the two differ. */
  readonly ids?: Int32Array;
}

/** @throws Error naming the file, what was expected and what came */
export function buildTokenizer({ kind, files, settings, className = '', cls }: TokenizerSource): BuiltTokenizer {
  const [first = '', second = ''] = files;
  if (kind === 'tokenizer.json') return { json: adjustTokenizerJson(first, settings, { className, cls }) };
  if (cls === undefined) throw new Error(`No rules for ${className}. This is a bug.`);
  switch (kind) {
    case 'WordPiece':
      return { json: buildWordPiece(first, settings, cls) };
    case 'byte-level BPE':
      return { json: buildByteLevelBpe({ vocab: first, merges: second }, settings, { className, cls }) };
    case 'SentencePiece':
      return { json: buildSentencePiece(first, settings, { className, cls }) };
    case 'PhoBERT':
      return buildPhobert({ vocab: first, codes: second }, settings, cls);
    default:
      return kind satisfies never;
  }
}
