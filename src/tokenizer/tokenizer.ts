import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Encoding } from 'tokenizers';
import { Tokenizer as NativeTokenizer } from 'tokenizers';
import type { TextRules } from './text-rules.ts';
import { applyTextRules } from './text-rules.ts';

// One call holds a pool thread and cannot be stopped; smaller calls let other requests in between.
const textsPerCall = 64;
const charactersPerCall = 100_000; // some 0.1 s

/** Turns texts into token ids on the libuv pool, never on the event loop. The only file that knows `tokenizers`. */
export class Tokenizer {
  readonly #native: NativeTokenizer;
  /** Special tokens the template puts before and after the content. */
  readonly #before: number;
  readonly #after: number;

  /** A token that is left out of every text. */
  #unknownId: number | undefined;

  private constructor(native: NativeTokenizer, before: number, after: number) {
    this.#native = native;
    this.#before = before;
    this.#after = after;
  }

  /** Reads `tokenizer.json`. Its truncation and padding blocks are cleared: lengths are ours to decide. */
  static async load(folder: string, rules: TextRules = {}): Promise<Tokenizer> {
    const file = join(folder, 'tokenizer.json');
    try {
      const { json, unknownToken } = applyTextRules(readFileSync(file, 'utf8'), rules);
      const native = NativeTokenizer.fromString(json);
      native.disablePadding();
      native.disableTruncation();
      const isSpecial = (await native.encode('a')).getSpecialTokensMask().map((flag) => flag === 1);
      if (!isSpecial.includes(false)) throw new Error('it gives no token for "a"');
      const after = isSpecial.length - 1 - isSpecial.lastIndexOf(false);
      const tokenizer = new Tokenizer(native, isSpecial.indexOf(false), after);
      if (unknownToken !== undefined) tokenizer.#unknownId = native.tokenToId(unknownToken) ?? undefined;
      return tokenizer;
    } catch (cause) {
      throw new Error(`Expected a tokenizer in ${file}: ${cause instanceof Error ? cause.message : String(cause)}.`, {
        cause,
      });
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
      for (const encoding of await this.#encodeCall(call)) {
        const ids = Int32Array.from(encoding.getIds());
        yield this.#unknownId === undefined ? ids : ids.filter((id) => id !== this.#unknownId);
      }
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
