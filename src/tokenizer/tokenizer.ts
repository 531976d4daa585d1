import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer as NativeTokenizer } from 'tokenizers';

const textsPerCall = 64; // one call holds a pool thread; smaller calls let other requests in between

/** Turns texts into token ids on the libuv pool, never on the event loop. The only file that knows `tokenizers`. */
export class Tokenizer {
  readonly #native: NativeTokenizer;
  /** Special tokens the template puts before and after the content. */
  readonly #before: number;
  readonly #after: number;

  private constructor(native: NativeTokenizer, before: number, after: number) {
    this.#native = native;
    this.#before = before;
    this.#after = after;
  }

  /** Reads `tokenizer.json`. Its truncation and padding blocks are cleared: lengths are ours to decide. */
  static async load(folder: string): Promise<Tokenizer> {
    const native = NativeTokenizer.fromString(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
    native.disablePadding();
    native.disableTruncation();
    const content = (await native.encode('a', null, { addSpecialTokens: false })).getIds();
    const framed = (await native.encode('a', null, { addSpecialTokens: true })).getIds();
    const before = Math.max(0, framed.findIndex((_, start) => content.every((id, index) => framed[start + index] === id)));
    return new Tokenizer(native, before, framed.length - before - content.length);
  }

  /** Special tokens every text gets. */
  get specialTokens(): number {
    return this.#before + this.#after;
  }

  /** Ids of each text, special tokens included, in order. Stops between calls when the signal aborts. */
  async encode(texts: readonly string[], signal?: AbortSignal): Promise<Int32Array[]> {
    const encoded: Int32Array[] = [];
    for (let start = 0; start < texts.length; start += textsPerCall) {
      signal?.throwIfAborted();
      const chunk = texts.slice(start, start + textsPerCall);
      const encodings = chunk.length === 1 ? [await this.#native.encode(chunk[0]!)] : await this.#native.encodeBatch(chunk);
      for (const encoding of encodings) encoded.push(Int32Array.from(encoding.getIds()));
    }
    return encoded;
  }

  /** Cuts content on the right and keeps the special tokens, as transformers truncates. */
  truncate(ids: Int32Array, maxTokens: number): Int32Array {
    if (ids.length <= maxTokens) return ids;
    const cut = ids.slice(0, maxTokens);
    const after = Math.min(this.#after, Math.max(0, maxTokens - this.#before));
    cut.set(ids.subarray(ids.length - after), maxTokens - after);
    return cut;
  }
}
