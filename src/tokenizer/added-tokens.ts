import type { SpecialAttribute, TokenizerClass } from './tokenizer-classes.ts';
import { specialAttributes } from './tokenizer-classes.ts';
import type { AddedToken } from './tokenizer-json.ts';
import type { TokenizerSettings } from './tokenizer-settings.ts';
import { parseToken } from './tokenizer-settings.ts';

export type SpecialTokens = Readonly<Partial<Record<SpecialAttribute, AddedToken>>>;

/** The special tokens in force: the files' words over the defaults of the class; null in a file means none. */
export function resolveSpecials(
  settings: TokenizerSettings,
  { specials, flags = {} }: Pick<TokenizerClass, 'specials' | 'flags'>,
): SpecialTokens {
  const added = new Map(settings.addedTokens.map((token) => [token.content, token]));
  const found: Partial<Record<SpecialAttribute, AddedToken>> = {};
  for (const name of specialAttributes) {
    const value = name in settings.values ? settings.values[name] : specials[name];
    const token = parseToken(value, flags[name]);
    if (token !== undefined) found[name] = { ...(added.get(token.content) ?? token), special: true };
  }
  return found;
}

/**
 * Tokens to cut out of the text, in the order in which they get ids: those of the vocabulary file, those that the
 * settings list, special ones, additional special ones. A token that comes again keeps its place; the later flags hold.
 */
export function collectAddedTokens(
  ofFile: readonly AddedToken[],
  settings: TokenizerSettings,
  { specials, additional = [] }: { specials: SpecialTokens; additional?: readonly string[] | undefined },
): readonly AddedToken[] {
  const names = new Set(Object.values(specials).map(({ content }) => content));
  const own = settings.values['additional_special_tokens'];
  const extra = (Array.isArray(own) ? own : additional).flatMap((token) => parseToken(token) ?? []);
  for (const { content } of extra) names.add(content);
  const listed = settings.addedTokens.map((token) => ({
    ...token,
    special: token.special || names.has(token.content),
  }));
  const all = [...ofFile, ...listed, ...specialAttributes.flatMap((name) => specials[name] ?? [])];
  const byContent = new Map(all.map((token) => [token.content, token]));
  for (const token of extra) if (!byContent.has(token.content)) byContent.set(token.content, token);
  byContent.delete('');
  return [...byContent.values()];
}

/** Ids as the `tokenizers` library gives them: that of the vocabulary, otherwise the next one behind all. */
export function numberTokens(
  tokens: readonly AddedToken[],
  vocabulary: { readonly size: number; readonly get: (token: string) => number | undefined },
): readonly (AddedToken & { readonly id: number })[] {
  let highest = -1;
  return tokens.map((token) => {
    const id = vocabulary.get(token.content) ?? Math.max(vocabulary.size, highest + 1);
    highest = Math.max(highest, id);
    return { ...token, id };
  });
}
