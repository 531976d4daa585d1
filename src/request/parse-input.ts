import { ServiceError } from '../errors.ts';
import type { Item } from './embed-request.ts';
import { wrongType } from './wrong-type.ts';

interface InputLimits {
  readonly maxBatchSize: number;
  readonly maxInputCharacters: number;
}

/**
 * The four shapes of `input` as one list: string, string[], int[] (one item) and int[][].
 * @throws ServiceError whose param is `input`, or `input[17]` for the element at fault
 */
export function parseInput(input: unknown, limits: InputLimits): readonly Item[] {
  if (input === undefined) throw new ServiceError('missing_parameter', { param: 'input' });
  if (typeof input === 'string') return [parseText(input, 'input', limits)];
  if (!Array.isArray(input)) throw wrongType('input', shapes, input);
  const first: unknown = input[0];
  if (first === undefined) throw invalid('input', 'The list is empty.');
  if (typeof first === 'number') return [parseFlatTokens(input, limits)];
  if (input.length > limits.maxBatchSize) {
    throw invalid('input', `Expected at most ${limits.maxBatchSize} inputs in one request, got ${input.length}.`);
  }
  if (typeof first === 'string') return input.map((text, i) => parseText(text, `input[${i}]`, limits));
  if (Array.isArray(first)) return input.map((ids, i) => parseTokens(ids, `input[${i}]`, limits));
  throw wrongType('input[0]', 'a string, an integer token id or an array of token ids', first);
}

const shapes = 'a string, an array of strings, an array of token ids or an array of token id arrays';
const maxId = 2 ** 31 - 1;

function parseText(text: unknown, param: string, { maxInputCharacters }: InputLimits): Item {
  if (typeof text !== 'string') throw wrongType(param, 'a string', text);
  if (text === '') throw invalid(param, `${param} is an empty string.`);
  if (text.length > maxInputCharacters) {
    throw new ServiceError('input_too_large', { param, max: maxInputCharacters, got: text.length });
  }
  return { kind: 'text', text };
}

/** `[1, 2, 3]` is one item, so here `input[2]` names a token id. */
function parseFlatTokens(ids: readonly unknown[], limits: InputLimits): Item {
  checkTokenCount(ids, 'input', limits);
  return { kind: 'tokens', ids: toIds(ids, (position) => ({ param: `input[${position}]`, where: '' })) };
}

function parseTokens(ids: unknown, param: string, limits: InputLimits): Item {
  if (!Array.isArray(ids)) throw wrongType(param, 'an array of token ids', ids);
  if (ids.length === 0) throw invalid(param, `${param} is an empty list.`);
  checkTokenCount(ids, param, limits);
  return { kind: 'tokens', ids: toIds(ids, (position) => ({ param, where: ` at position ${position}` })) };
}

/** A token stands for a character at least, so the limit of characters is one of ids too; no model comes near it. */
function checkTokenCount(ids: readonly unknown[], param: string, { maxInputCharacters }: InputLimits): void {
  if (ids.length <= maxInputCharacters) return;
  throw invalid(param, `Expected at most ${maxInputCharacters} token ids in one input, got ${ids.length}.`);
}

interface Place {
  readonly param: string;
  readonly where: string;
}

function toIds(values: readonly unknown[], place: (position: number) => Place): Int32Array {
  const ids = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const id = values[i];
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= maxId) ids[i] = id;
    else throw wrongId(id, place(i));
  }
  return ids;
}

function wrongId(id: unknown, { param, where }: Place): ServiceError {
  if (typeof id !== 'number' || !Number.isInteger(id)) {
    return wrongType(param, `an integer token id${where}`, id);
  }
  const expected = `Expected a token id${where} from 0 to the size of the model's vocabulary.`;
  return new ServiceError('invalid_value', { param, got: id, expected });
}

function invalid(param: string, reason: string): ServiceError {
  return new ServiceError('invalid_input', { param, reason });
}
