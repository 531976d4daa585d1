import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, readJsonObject } from './read-file.ts';
import type { AddedToken } from './tokenizer-json.ts';
import { toAddedToken } from './tokenizer-json.ts';

/** What tokenizer_config.json and the files beside it say. */
export interface TokenizerSettings {
  /** Without the ending `Fast`: both forms name one tokenizer. */
  readonly className: string | undefined;
  /** tokenizer_config.json, with special_tokens_map.json over it where that file counts. */
  readonly values: Readonly<Record<string, unknown>>;
  /** In the order of their ids. */
  readonly addedTokens: readonly (AddedToken & { readonly id: number })[];
}

/**
 * Reads tokenizer_config.json, special_tokens_map.json, added_tokens.json and, for the class only, config.json; each may
 * be missing. As in transformers, the middle two count only where tokenizer_config.json has no `added_tokens_decoder`.
 */
export function readTokenizerSettings(folder: string): TokenizerSettings {
  const config = readOptional(folder, 'tokenizer_config.json');
  const className = nameOf(config['tokenizer_class']) ?? nameOf(readOptional(folder, 'config.json')['tokenizer_class']);
  if ('added_tokens_decoder' in config)
    return { className, values: config, addedTokens: parseDecoder(config['added_tokens_decoder'], folder) };
  const map = readOptional(folder, 'special_tokens_map.json');
  const values = {
    ...config,
    ...map,
    additional_special_tokens: [...listOf(config), ...listOf(map)],
  };
  if (values.additional_special_tokens.length === 0 && !('additional_special_tokens' in config))
    delete (values as Partial<typeof values>).additional_special_tokens; // absent is not empty: T5 has a default
  return { className, values, addedTokens: parseAddedTokens(folder, values) };
}

/** True or false as set, `otherwise` where the file is silent. */
export function flagOf({ values }: TokenizerSettings, name: string, otherwise: boolean): boolean {
  const value = values[name];
  return typeof value === 'boolean' ? value : otherwise;
}

/**
 * Whether the repository brings the tokenizer code of gte-Qwen2, which appends `eos_token` where `add_eos_token` is set;
 * transformers' own class for the same files does not.
 */
export function appendsEosItself(settings: TokenizerSettings): boolean {
  const { auto_map: map } = settings.values;
  const classes = [(map as { readonly AutoTokenizer?: unknown } | null | undefined)?.AutoTokenizer].flat();
  const isOwnCode = classes.some((name) => typeof name === 'string' && /(^|-{2})tokenization_qwen\./.test(name));
  return isOwnCode && flagOf(settings, 'add_eos_token', false);
}

/** `"[CLS]"`, or an object with the flags of an added token, as both files write special tokens. */
export function parseToken(value: unknown, flags: Partial<AddedToken> = {}): AddedToken | undefined {
  if (typeof value === 'string') return toAddedToken(value, flags);
  if (typeof value !== 'object' || value === null || !('content' in value) || typeof value.content !== 'string')
    return undefined;
  const given = value as Readonly<Record<string, unknown>>;
  const flag = (name: string, otherwise: boolean) => (typeof given[name] === 'boolean' ? given[name] : otherwise);
  const special = flag('special', flags.special ?? true);
  return {
    content: value.content,
    single_word: flag('single_word', false),
    lstrip: flag('lstrip', false),
    rstrip: flag('rstrip', false),
    normalized: flag('normalized', !special),
    special,
  };
}

function readOptional(folder: string, name: string): Readonly<Record<string, unknown>> {
  const file = join(folder, name);
  return existsSync(file) ? readJsonObject(file) : {};
}

const maxNameCharacters = 80; // it stands in messages

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, maxNameCharacters).replace(/Fast$/, '') : undefined;
}

function listOf({ additional_special_tokens: list }: Readonly<Record<string, unknown>>): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}

/** `{"30522": {"content": "<ent>", "lstrip": false, …}}` */
function parseDecoder(value: unknown, folder: string): TokenizerSettings['addedTokens'] {
  const entries = Object.entries((value ?? {}) as Record<string, unknown>); // of a string: its characters, refused below
  return entries
    .map(([id, token]) => {
      const parsed = typeof token === 'object' ? parseToken(token, { special: false }) : undefined;
      if (parsed === undefined || !/^\d{1,9}$/.test(id))
        throw new Error(
          `Expected added_tokens_decoder to map ids to tokens in ${join(folder, 'tokenizer_config.json')}, got ${describe(id)}: ${describe(token)}.`,
        );
      return { ...parsed, id: Number(id) };
    })
    .toSorted((first, second) => first.id - second.id);
}

/** `{"<ent>": 30522}`; a token is special where one of the special tokens is the same. */
function parseAddedTokens(folder: string, values: Readonly<Record<string, unknown>>): TokenizerSettings['addedTokens'] {
  const special = new Set(
    Object.entries(values).flatMap(([name, value]) =>
      name === 'additional_special_tokens'
        ? listOf(values).map((token) => parseToken(token)?.content)
        : name.endsWith('_token')
          ? [parseToken(value)?.content]
          : [],
    ),
  );
  return Object.entries(readOptional(folder, 'added_tokens.json'))
    .map(([content, id]) => {
      if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > 0x7f_ff_ff_ff)
        throw new Error(
          `Expected ids in ${join(folder, 'added_tokens.json')}, got ${describe(content)}: ${describe(id)}.`,
        );
      const isSpecial = special.has(content);
      return { ...toAddedToken(content, { special: isSpecial, normalized: !isSpecial }), id };
    })
    .toSorted((first, second) => first.id - second.id);
}
