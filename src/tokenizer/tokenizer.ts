import { statSync } from 'node:fs';
import type { Encoder, EncoderOptions } from './encoder.ts';
import type { TextRules } from './text-rules.ts';
import { findTokenizerSource } from './tokenizer-source.ts';
import { UnusualTokenizerError } from './unusual-tokenizer-error.ts';

// One call holds a pool thread and cannot be stopped; smaller calls let other requests in between.
const textsPerCall = 64;
const charactersPerCall = 100_000; // some 0.1 s
/** What a tokenizer cannot do with any text, such as one whose unknown token is missing, is said when it loads. */
const trialTexts = ['', ' a', 'Ab 1 \u{12000}\u00e9\n'];
const inlineBytes = 750_000; // BERT's tokenizer.json of 0.7 MB blocks for 50 ms, 1.7 MB of vocab.json and merges.txt for 300

/** Turns texts into token ids, never on the event loop. */
export class Tokenizer {
  readonly #encoder: Encoder;

  private constructor(encoder: Encoder) {
    this.#encoder = encoder;
  }

  /**
   * Loads the tokenizer of a model folder: tokenizer.json, or one built from the files that stand in for it, see
   * `findTokenizerSource`.
   * @throws Error naming the file, what was expected and what came
   */
  static async load(folder: string, rules: TextRules = {}, model?: string): Promise<Tokenizer> {
    const bytes = findTokenizerSource(folder)?.files.reduce((sum, file) => sum + statSync(file).size, 0) ?? 0;
    const encoder = await openEncoder({ folder, rules, model }, bytes);
    try {
      await encoder.encode(trialTexts);
    } catch (cause) {
      encoder.close();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`Expected a tokenizer in ${folder} that makes tokens of a text: ${reason}`, { cause });
    }
    return new Tokenizer(encoder);
  }

  /** Special tokens every text gets. */
  get specialTokens(): number {
    return this.#encoder.before + this.#encoder.after;
  }

  get endsInSpecial(): boolean {
    return this.#encoder.after > 0;
  }

  /**
   * Ids of each text, special tokens included, in order. Works no further ahead than one call of the native tokenizer,
   * and stops between calls when the signal aborts.
   */
  async *encode(texts: readonly string[], signal?: AbortSignal): AsyncGenerator<Int32Array, undefined> {
    for (const call of toCalls(texts)) {
      signal?.throwIfAborted();
      for (const ids of await this.#encoder.encode(call)) yield ids;
    }
  }

  /** Cuts content on the right and keeps the special tokens, as transformers truncates. */
  truncate(ids: Int32Array, maxTokens: number): Int32Array {
    if (ids.length <= maxTokens) return ids;
    const cut = ids.slice(0, maxTokens);
    const after = Math.min(this.#encoder.after, Math.max(0, maxTokens - this.#encoder.before));
    cut.set(ids.subarray(ids.length - after), maxTokens - after);
    return cut;
  }

  /** Stops its thread, if it has one. */
  close(): void {
    this.#encoder.close();
  }
}

/**
 * One that may end its process with some text gets a process of its own. Imported only here: the native library and the
 * builders are read while the runner starts, not before.
 */
async function openEncoder(options: EncoderOptions, bytes: number): Promise<Encoder> {
  try {
    if (bytes > inlineBytes) return await (await import('./threaded-encoder.ts')).openThreadedEncoder(options);
    return (await import('./native-encoder.ts')).openNativeEncoder(options);
  } catch (error) {
    if (!(error instanceof UnusualTokenizerError)) throw error;
    return (await import('./process-encoder.ts')).openProcessEncoder(options);
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
