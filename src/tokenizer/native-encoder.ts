import { Tokenizer as NativeTokenizer } from 'tokenizers';
import { buildTokenizer } from './build-tokenizer.ts';
import type { Encoder, EncoderOptions } from './encoder.ts';
import { checkTokenizerJson } from './sources/check-tokenizer-json.ts';
import { countTemplate } from './tokenizer-json.ts';
import { describeFormats, findTokenizerSource } from './tokenizer-source.ts';

/**
 * Loads the tokenizer of a model folder and encodes on the libuv pool. Truncation and padding blocks of the file are
 * cleared: lengths are ours to decide. The only file that knows `tokenizers`.
 * @throws Error naming the file, what was expected and what came
 */
export function openNativeEncoder({ folder, isFramed }: EncoderOptions): Encoder {
  const source = findTokenizerSource(folder);
  if (source === undefined) throw new Error(`Expected a tokenizer in ${folder}: ${describeFormats()}. There is none.`);
  const { json, ids } = buildTokenizer(source);
  const frame = isFramed ? json.post_processor : null;
  const native = parse({ ...json, post_processor: frame, padding: null, truncation: null }, source.files);
  // Every symbol of the native vocabulary has an id of the model.
  const toModelId = (id: number) => (ids === undefined ? id : ids[id]!);
  return {
    ...countTemplate(frame),
    encode: async (texts) => {
      const [only, another] = texts;
      const isOne = only !== undefined && another === undefined;
      const encodings = isOne ? [await native.encode(only)] : await native.encodeBatch([...texts]);
      return encodings.map((encoding) => Int32Array.from(encoding.getIds(), toModelId));
    },
    close: () => undefined, // the garbage collector's
  };
}

function parse(json: Readonly<Record<string, unknown>>, files: readonly string[]): NativeTokenizer {
  try {
    checkTokenizerJson(json);
    return NativeTokenizer.fromString(JSON.stringify(json));
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Expected a tokenizer in ${files.join(' and ')}: ${message}.`, { cause });
  }
}
