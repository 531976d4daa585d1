import type { Encoding } from 'tokenizers';
import { Tokenizer as NativeTokenizer } from 'tokenizers';
import { buildTokenizer } from './build-tokenizer.ts';
import { countTemplate } from './tokenizer-json.ts';
import { describeFormats, findTokenizerSource } from './tokenizer-source.ts';

// One call holds a pool thread and cannot be stopped; smaller calls let other requests in between.
const textsPerCall = 64;
const charactersPerCall = 100_000; // some 0.1 s

/** Turns texts into token ids on the libuv pool, never on the event loop. The only file that knows `tokenizers`. */
export class Tokenizer {
  readonly #native: NativeTokenizer;
  /** Special tokens the template puts before and after the content. */
  readonly #before: number;
  readonly #after: number;

  /** `[native id]` -> id of the model, where they differ. */
  readonly #ids: Int32Array | undefined;

  private constructor(
    native: NativeTokenizer,
    { before, after }: { readonly before: number; readonly after: number },
    ids: Int32Array | undefined,
  ) {
    this.#native = native;
    this.#before = before;
    this.#after = after;
    this.#ids = ids;
  }

  /**
   * Reads the tokenizer of a model folder, see `findTokenizerSource`. Truncation and padding blocks are cleared: lengths
   * are ours to decide.
   * @throws Error naming the file, what was expected and what came
   */
  static async load(folder: string): Promise<Tokenizer> {
    const source = findTokenizerSource(folder);
    if (source === undefined)
      throw new Error(`Expected a tokenizer in ${folder}: ${describeFormats()}. There is none.`);
    const { json, ids } = buildTokenizer(source);
    try {
      const native = NativeTokenizer.fromString(JSON.stringify({ ...json, padding: null, truncation: null }));
      return new Tokenizer(native, countTemplate(json.post_processor), ids);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`Expected a tokenizer in ${source.files.join(' and ')}: ${message}.`, { cause });
    }
  }

  /** Special tokens every text gets. */
  get specialTokens(): number {
    return this.#before + this.#after;
  }

  get endsInSpecial(): boolean {
    return this.#after > 0;
  }

  /**
   * Ids of each text, special tokens included, in order. Works no further ahead than one call of the native tokenizer,
   * and stops between calls when the signal aborts.
   */
  async *encode(texts: readonly string[], signal?: AbortSignal): AsyncGenerator<Int32Array, undefined> {
    for (const call of toCalls(texts)) {
      signal?.throwIfAborted();
      for (const encoding of await this.#encodeCall(call)) yield this.#idsOf(encoding);
    }
  }

  /** Cuts content on the right and keeps the special tokens, as transformers truncates. */
  truncate(ids: Int32Array, maxTokens: number): Int32Array {
    if (ids.length <= maxTokens) return ids;
    const cut = ids.slice(0, maxTokens);
    const after = Math.min(this.#after, Math.max(0, maxTokens - this.#before));
    cut.set(ids.subarray(ids.length - after), maxTokens - after);
    return cut;
  }

  #idsOf(encoding: Encoding): Int32Array {
    const ids = this.#ids;
    return ids === undefined
      ? Int32Array.from(encoding.getIds())
      : Int32Array.from(encoding.getIds(), (id) => ids[id]!); // one for every symbol of the native vocabulary
  }

  async #encodeCall(texts: readonly string[]): Promise<readonly Encoding[]> {
    const [only, another] = texts;
    if (only !== undefined && another === undefined) return [await this.#native.encode(only)];
    return this.#native.encodeBatch([...texts]);
  }
}

/** Runs of texts of bounded number and size; a text longer than the bound stands alone. */
function toCalls(texts: readonly string[]): readonly (readonly string[])[] {
  const calls: string[][] = [];
  let characters = Infinity;
  for (const text of texts) {
    const call = calls.at(-1);
    characters += text.length;
    if (call === undefined || call.length === textsPerCall || characters > charactersPerCall) {
      calls.push([text]);
      characters = text.length;
    } else call.push(text);
  }
  return calls;
}
