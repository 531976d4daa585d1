/** Splits contractions, words with one leading character, single digits, symbols, line ends, other whitespace: Qwen's. */
export const qwenSplit = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

/** What Python takes for whitespace: the information separators count, the zero-width space does not. */
export const pythonWhitespace = '\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000';

/** Words with one line end behind them: PhoBERT's. */
export const phobertSplit = `[^${pythonWhitespace}]+\n?`;

/**
 * Expressions of published tokenizers. No text makes the engine of the native library go back over more than one run of
 * characters for any of them; there is no sound way to tell that of another expression.
 */
export const usualPatterns: ReadonlySet<string> = new Set([
  qwenSplit,
  phobertSplit,
  // GPT-2
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  // Llama 3, cl100k
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw`(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`,
  // Qwen 3.5 and later: marks belong to words
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  // CLIP
  String.raw`'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`,
  // Normalisers of XLM-RoBERTa, T5, ALBERT, DeBERTa and CLIP; digits one by one
  ' {2,}',
  String.raw`\s+`,
  String.raw`\s`,
  String.raw`\n`,
  String.raw`\p{N}`,
  String.raw`\d`,
  '[0-9]',
]);
