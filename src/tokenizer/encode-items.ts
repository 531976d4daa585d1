import { ServiceError } from '../errors.ts';
import type { Item } from '../request/embed-request.ts';
import type { Encoded } from './encoded.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface EncodeLimits {
  readonly maxTokens: number;
  readonly maxRequestTokens: number;
  readonly vocabulary: number;
  /** A sequence that begins with this id may be one token longer: it takes none of the positions that are counted. */
  readonly uncountedId?: number | undefined;
  readonly truncate: boolean;
  /** Put before every text, not before token ids. */
  readonly prompt?: string | undefined;
  /** Whether pooling leaves out the tokens of the prompt. */
  readonly skipsPrompt?: boolean;
}

/**
 * Token ids of every item of a request, within the model's limits.
 * @throws ServiceError `context_length_exceeded`, `max_tokens_per_request`, `token_id_out_of_range`, `invalid_input`, naming the item
 */
export async function encodeItems(
  tokenizer: Tokenizer,
  items: readonly Item[],
  limits: EncodeLimits,
  signal?: AbortSignal,
): Promise<Encoded[]> {
  const texts = items.flatMap((item) => (item.kind === 'text' ? [(limits.prompt ?? '') + item.text] : []));
  const skip = limits.skipsPrompt === true ? await countPromptTokens(tokenizer, limits.prompt ?? '') : 0;
  const ofTexts = tokenizer.encode(texts, signal);
  const encoded: Encoded[] = [];
  // One by one, so that nothing is tokenised behind an item that is too long.
  for (const [index, item] of items.entries()) {
    if (item.kind === 'tokens') {
      encoded.push(fit(item.ids, index, limits, (ids) => ids.slice(0, limits.maxTokens)));
      continue;
    }
    const { value } = await ofTexts.next();
    if (value === undefined) throw new Error('The tokenizer gave fewer results than texts. This is a bug.');
    const fitting = fit(value, index, limits, (ids) => tokenizer.truncate(ids, limits.maxTokens));
    // The prompt alone may have more tokens than with a text behind it; a vector needs at least one.
    encoded.push(skip === 0 ? fitting : { ...fitting, skip: Math.min(skip, fitting.ids.length - 1) });
  }
  const total = encoded.reduce((sum, { ids }) => sum + ids.length, 0);
  if (total > limits.maxRequestTokens)
    throw new ServiceError('max_tokens_per_request', { got: total, max: limits.maxRequestTokens });
  return encoded;
}

/** As sentence-transformers counts: the tokens of the prompt alone, without a special token at its end. */
async function countPromptTokens(tokenizer: Tokenizer, prompt: string): Promise<number> {
  if (prompt === '') return 0;
  const { value } = await tokenizer.encode([prompt]).next();
  return (value?.length ?? 0) - (tokenizer.endsInSpecial ? 1 : 0);
}

function fit(
  ids: Int32Array,
  index: number,
  { maxTokens, truncate, vocabulary, uncountedId }: EncodeLimits,
  cut: (ids: Int32Array) => Int32Array,
): Encoded {
  checkRange(ids, index, vocabulary);
  // A tokenizer without special tokens gives none for a text of blanks; there is no vector of nothing.
  if (ids.length === 0)
    throw new ServiceError('invalid_input', { reason: `input[${index}] has no tokens.`, param: `input[${index}]` });
  if (ids.length <= maxTokens + Number(ids[0] === uncountedId)) return { ids };
  if (!truncate)
    throw new ServiceError('context_length_exceeded', { got: ids.length, max: maxTokens, param: `input[${index}]` });
  return { ids: cut(ids), fullLength: ids.length };
}

/** Ids of a text are checked too: a tokenizer may know more tokens than the model. */
function checkRange(ids: Int32Array, index: number, vocabulary: number): void {
  const position = ids.findIndex((id) => id < 0 || id >= vocabulary);
  if (position >= 0)
    throw new ServiceError('token_id_out_of_range', {
      got: ids[position]!,
      max: vocabulary - 1,
      position,
      param: `input[${index}]`,
    });
}
