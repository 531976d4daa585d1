import { describe } from '../read-file.ts';
import { checkCharsmap } from './charsmap.ts';

type Json = Readonly<Record<string, unknown>>;

// Far above what any published tokenizer has.
const maxDepth = 32; // parts in parts; the library drops and copies them by recursion
const maxComponents = 64;
const maxTokenCharacters = 1000; // a Unigram piece is a branch as deep as it is long, and every match is copied
const maxTemplateTokens = 64; // every text gets all of them

/**
 * Refuses what the native library does not: a panic in it ends the process, where an error would end only the loading.
 * @throws Error saying what was expected and what came
 */
export function checkTokenizerJson(json: Json): void {
  checkDepth(json);
  const { normalizer, pre_tokenizer: preTokenizer, post_processor: processor, model, added_tokens: added } = json;
  // By their fields, whatever the type says: that is how the library knows them.
  for (const part of listComponents(normalizer, 'normalizers'))
    if ('precompiled_charsmap' in part) checkPrecompiled(part);
  for (const part of listComponents(preTokenizer, 'pretokenizers')) if ('length' in part) checkLength(part);
  for (const part of listComponents(processor, 'processors')) checkTemplate(part);
  if (Array.isArray(added)) for (const token of added) checkAdded(token);
  if (typeof model !== 'object' || model === null) return; // the library says what it wants
  checkVocabulary((model as Json)['vocab']); // an object
  checkMerges(model as Json);
}

/** A component, or all those of a sequence in a sequence. @throws Error for too many */
export function listComponents(component: unknown, list: string): readonly Json[] {
  const parts = flatten(component, list);
  if (parts.length > maxComponents) throw new Error(`expected at most ${maxComponents} ${list}, got ${parts.length}`);
  return parts;
}

/** Its depth has been checked. */
function flatten(component: unknown, list: string): readonly Json[] {
  if (typeof component !== 'object' || component === null) return [];
  const parts = (component as Json)[list]; // an object
  return [component as Json, ...(Array.isArray(parts) ? parts.flatMap((part) => flatten(part, list)) : [])];
}

/** Without recursion: that is what it protects. */
function checkDepth(json: Json): void {
  let level: readonly object[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) throw new Error(`expected at most ${maxDepth} levels of lists and objects, got more`);
    const next: object[] = [];
    for (const value of level)
      for (const inner of Object.values(value) as unknown[])
        if (typeof inner === 'object' && inner !== null) next.push(inner);
    level = next;
  }
}

function checkPrecompiled({ precompiled_charsmap: charsmap }: Json): void {
  // Node passes over what is no base64, and the library ends the process.
  const bytes = typeof charsmap === 'string' ? Buffer.from(charsmap, 'base64') : undefined;
  if (bytes?.toString('base64') !== charsmap || bytes === undefined)
    throw new Error(`expected precompiled_charsmap to be base64, got ${describe(charsmap)}`);
  checkCharsmap(bytes);
}

/** FixedLength cuts the text into pieces of that length; of 0 there is no end. */
function checkLength({ length }: Json): void {
  if (!isId(length) || length === 0) throw new Error(`expected a length above 0, got ${describe(length)}`);
}

/** Every token of a template is among its own special tokens, and stands for a few ids. */
function checkTemplate({ single, pair, special_tokens: tokens }: Json): void {
  const known = typeof tokens === 'object' && tokens !== null ? (tokens as Json) : {};
  for (const token of Object.values(known)) {
    const { ids, tokens: texts } = (token ?? {}) as Json; // a primitive has neither
    for (const list of [ids, texts])
      if (Array.isArray(list) && list.length > maxTemplateTokens) throw tooManyOfTemplate(list.length);
    if (Array.isArray(texts)) for (const text of texts) checkText(text, 'a token of its template');
  }
  for (const parts of [single, pair]) {
    if (!Array.isArray(parts)) continue; // written as one text, or not at all
    if (parts.length > maxTemplateTokens) throw tooManyOfTemplate(parts.length);
    for (const part of parts as readonly unknown[]) {
      const id = ((part as Json | null)?.['SpecialToken'] as Json | undefined)?.['id']; // the library checks the shapes
      if (typeof id === 'string' && !Object.hasOwn(known, id))
        throw new Error(
          `expected ${describe(id)} of its template among the template's special_tokens, it is not there`,
        );
    }
  }
}

function tooManyOfTemplate(got: number): Error {
  return new Error(`expected at most ${maxTemplateTokens} tokens in its template, got ${got}`);
}

function checkAdded(token: unknown): void {
  const { id, content } = (token ?? {}) as Json; // a primitive has neither
  if (!isId(id)) throw new Error(`expected an id for the added token ${describe(content)}, got ${describe(id)}`);
  checkText(content, 'an added token');
}

/** An object of ids, or for Unigram a list of pairs. */
function checkVocabulary(vocab: unknown): void {
  if (typeof vocab !== 'object' || vocab === null) return;
  if (Array.isArray(vocab)) {
    for (const entry of vocab as readonly unknown[]) checkText(Array.isArray(entry) ? entry[0] : '', 'a piece');
    return;
  }
  for (const [piece, id] of Object.entries(vocab)) {
    checkText(piece, 'a piece');
    if (!isId(id)) throw new Error(`expected an id for the piece ${describe(piece)}, got ${describe(id)}`);
  }
}

/** The library cuts the prefix off the right half of every merge without looking whether it is there. */
function checkMerges({ continuing_subword_prefix: prefix, merges }: Json): void {
  if (typeof prefix !== 'string' || prefix === '' || !Array.isArray(merges)) return;
  for (const merge of merges) {
    const right: unknown = Array.isArray(merge) ? merge[1] : String(merge).split(' ')[1];
    if (typeof right === 'string' && !right.startsWith(prefix))
      throw new Error(`expected ${describe(prefix)} before the right half of every merge, got ${describe(merge)}`);
  }
}

function checkText(text: unknown, what: string): void {
  if (typeof text === 'string' && text.length > maxTokenCharacters)
    throw new Error(`expected at most ${maxTokenCharacters} characters for ${what}, got ${text.length}`);
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0x7f_ff_ff_ff; // an integer is a number
}
