import { Tokenizer as NativeTokenizer } from 'tokenizers';
import { buildTokenizer } from './build-tokenizer.ts';
import type { Encoder, EncoderOptions } from './encoder.ts';
import { checkTokenizerJson } from './sources/check-tokenizer-json.ts';
import { findUnusual } from './sources/find-unusual.ts';
import { applyTextRules } from './text-rules.ts';
import { countTemplate } from './tokenizer-json.ts';
import { describeFormats, findTokenizerSource } from './tokenizer-source.ts';
import { UnusualTokenizerError } from './unusual-tokenizer-error.ts';

/** A token of a text, to be looked at. */
export interface Piece {
  readonly id: number;
  /** As the vocabulary spells it, such as `##ing`. */
  readonly text: string;
  /** Added by the template, not by the text. */
  readonly isSpecial: boolean;
}

/** An encoder in this thread, which also shows the tokens of a text with their spelling. */
export interface NativeEncoder extends Encoder {
  explain(text: string): Promise<readonly Piece[]>;
}

/**
 * Loads the tokenizer of a model folder and encodes on the libuv pool. Truncation, padding and decoders of the file are
 * cleared: lengths are ours to decide, and nothing here decodes. The only file that knows `tokenizers`.
 * @throws Error naming the file, what was expected and what came; UnusualTokenizerError unless it `isAlone`
 */
export function openNativeEncoder({ folder, rules, isAlone = false }: EncoderOptions): NativeEncoder {
  const source = findTokenizerSource(folder);
  if (source === undefined) throw new Error(`Expected a tokenizer in ${folder}: ${describeFormats()}. There is none.`);
  const built = buildTokenizer(source);
  const { json, unknownToken } = applyTextRules({ ...built.json }, rules);
  const native = parse({ ...json, decoder: null, padding: null, truncation: null }, { files: source.files, isAlone });
  // Every symbol of the native vocabulary has an id of the model.
  const toModelId = (id: number): number => (built.ids === undefined ? id : built.ids[id]!);
  const leftOut = unknownToken === undefined ? null : native.tokenToId(unknownToken);
  return {
    ...countTemplate(json['post_processor']),
    encode: async (texts) => {
      const [only, another] = texts;
      const isOne = only !== undefined && another === undefined;
      const encodings = isOne ? [await native.encode(only)] : await native.encodeBatch([...texts]);
      return encodings.map((encoding) => {
        const ids = Int32Array.from(encoding.getIds());
        return (leftOut === null ? ids : ids.filter((id) => id !== leftOut)).map(toModelId);
      });
    },
    explain: async (text) => {
      const encoding = await native.encode(text);
      const [ids, spelling, special] = [encoding.getIds(), encoding.getTokens(), encoding.getSpecialTokensMask()];
      const pieces = ids.map((id, at) => ({ id, text: spelling[at] ?? '', isSpecial: special[at] === 1 }));
      return pieces.filter(({ id }) => id !== leftOut).map((piece) => ({ ...piece, id: toModelId(piece.id) }));
    },
    close: () => undefined, // the garbage collector's
  };
}

interface ParseOptions {
  readonly files: readonly string[];
  readonly isAlone: boolean;
}

const maxReasonCharacters = 300; // the library quotes values in full

function parse(json: Readonly<Record<string, unknown>>, { files, isAlone }: ParseOptions): NativeTokenizer {
  try {
    checkTokenizerJson(json);
    const unusual = isAlone ? undefined : findUnusual(json);
    if (unusual !== undefined) throw new UnusualTokenizerError(unusual);
    return NativeTokenizer.fromString(JSON.stringify(json));
  } catch (cause) {
    if (cause instanceof UnusualTokenizerError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Expected a tokenizer in ${files.join(' and ')}: ${message.slice(0, maxReasonCharacters)}.`, {
      cause,
    });
  }
}
