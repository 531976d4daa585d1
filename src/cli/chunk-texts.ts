import type { SourceText } from './read-texts.ts';

export interface Chunk {
  /** Index of the first text among all. */
  readonly start: number;
  readonly texts: readonly SourceText[];
}

/** Groups texts into requests, each within both limits (one text may exceed `maxCharacters` alone). */
export async function* chunkTexts(
  texts: AsyncIterable<SourceText>,
  { maxTexts, maxCharacters }: { readonly maxTexts: number; readonly maxCharacters: number },
): AsyncGenerator<Chunk> {
  let start = 0;
  let held: SourceText[] = [];
  let characters = 0;
  for await (const item of texts) {
    if (held.length > 0 && (held.length === maxTexts || characters + item.text.length > maxCharacters)) {
      yield { start, texts: held };
      start += held.length;
      held = [];
      characters = 0;
    }
    held.push(item);
    characters += item.text.length;
  }
  if (held.length > 0) yield { start, texts: held };
}
