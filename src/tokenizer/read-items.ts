import { setImmediate } from 'node:timers/promises';
import { ServiceError } from '../errors.ts';
import type { Item } from '../request/embed-request.ts';
import type { TokenIds } from '../util/token-ids.ts';
import { openEncoding, type EncodingName } from './tiktoken/open-encoding.ts';
import type { TokenBytes } from './tiktoken/token-bytes.ts';

export interface ReadRules {
  /** What token ids stand for. */
  readonly tokenIds: TokenIds;
  readonly maxRequestTokens: number;
  readonly maxInputCharacters: number;
}

const idsPerTurn = 20_000; // 1 to 3 ms of the event loop

/**
 * The items of a request as the model is to get them: ids of its own vocabulary stay, ids of OpenAI's encodings become
 * the text they stand for, so that everything that holds for texts holds for them.
 * @throws ServiceError `token_ids_rejected`, `tiktoken_id_unknown`, `input_too_large`, naming the item, and
 * `max_tokens_per_request`
 */
export async function readItems(
  items: readonly Item[],
  rules: ReadRules,
  signal?: AbortSignal,
): Promise<readonly Item[]> {
  const { tokenIds, maxRequestTokens } = rules;
  if (tokenIds === 'model') return items;
  const first = items.findIndex(({ kind }) => kind === 'tokens');
  if (first < 0) return items;
  if (tokenIds === 'reject') throw new ServiceError('token_ids_rejected', { param: `input[${first}]` });

  // A token may stand for 128 characters: so many are not written out for a request that is too large anyway.
  const total = items.reduce((sum, item) => sum + (item.kind === 'tokens' ? item.ids.length : 0), 0);
  if (total > maxRequestTokens) throw new ServiceError('max_tokens_per_request', { got: total, max: maxRequestTokens });
  const name = tokenIds === 'tiktoken' ? 'cl100k_base' : tokenIds;
  const encoding = { name, bytes: await openEncoding(name) };
  const texts: Item[] = [];
  let idsInTurn = 0;
  for (const [index, item] of items.entries()) {
    if (item.kind === 'text') {
      texts.push(item);
      continue;
    }
    if (idsInTurn > idsPerTurn) {
      await setImmediate();
      signal?.throwIfAborted();
      idsInTurn = 0;
    }
    idsInTurn += item.ids.length;
    texts.push({ kind: 'text', text: decodeItem(item.ids, `input[${index}]`, encoding, rules) });
  }
  return texts;
}

interface Encoding {
  readonly name: EncodingName;
  readonly bytes: TokenBytes;
}

function decodeItem(
  ids: Int32Array,
  param: string,
  { name, bytes }: Encoding,
  { maxInputCharacters: max }: ReadRules,
): string {
  const position = bytes.findUnknown(ids);
  if (position >= 0)
    throw new ServiceError('tiktoken_id_unknown', { encoding: name, got: ids[position]!, position, param });
  const text = bytes.decode(ids);
  if (text.length > max) throw new ServiceError('input_too_large', { param, max, got: text.length });
  return text;
}
