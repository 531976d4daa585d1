import { describe } from '../read-file.ts';
import { checkCharsmap } from './charsmap.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Refuses what the native library does not: a panic in it ends the process, where an error would end only the loading.
 * @throws Error saying what was expected and what came
 */
export function checkTokenizerJson({ normalizer, post_processor: processor, model }: Json): void {
  // By their fields, whatever the type says: that is how the library knows them.
  for (const part of flatten(normalizer, 'normalizers')) if ('precompiled_charsmap' in part) checkPrecompiled(part);
  for (const part of flatten(processor, 'processors')) if ('special_tokens' in part) checkTemplate(part);
  if (typeof model === 'object' && model !== null) checkMerges(model as Json); // an object
}

/** A component, or all those of a sequence in a sequence. */
function flatten(component: unknown, list: string): readonly Json[] {
  if (typeof component !== 'object' || component === null) return [];
  const parts = (component as Json)[list]; // an object
  return [component as Json, ...(Array.isArray(parts) ? parts.flatMap((part) => flatten(part, list)) : [])];
}

function checkPrecompiled({ precompiled_charsmap: charsmap }: Json): void {
  if (typeof charsmap !== 'string')
    throw new Error(`expected precompiled_charsmap to be base64, got ${describe(charsmap)}`);
  checkCharsmap(Buffer.from(charsmap, 'base64'));
}

/** Every token of a template is among its own special tokens. */
function checkTemplate({ single, pair, special_tokens: tokens }: Json): void {
  const known = typeof tokens === 'object' && tokens !== null ? tokens : {};
  for (const part of [single, pair].flat()) {
    const id = ((part as Json | null)?.['SpecialToken'] as Json | undefined)?.['id']; // the library checks the shapes
    if (typeof id === 'string' && !Object.hasOwn(known, id))
      throw new Error(`expected ${describe(id)} of its template among the template's special_tokens, it is not there`);
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
