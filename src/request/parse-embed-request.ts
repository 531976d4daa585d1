import { ServiceError } from '../errors.ts';
import type { EmbedRequest, EncodingFormat } from './embed-request.ts';
import { describe, quote } from './describe.ts';
import { parseInput } from './parse-input.ts';
import { wrongType } from './wrong-type.ts';

/** What the operator allows in one request. */
export interface RequestLimits {
  readonly maxBatchSize: number;
  readonly maxInputCharacters: number;
  readonly strictParameters: boolean;
}

/** A checked request and how its answer is to be written. */
export interface ParsedRequest {
  readonly request: EmbedRequest;
  readonly encodingFormat: EncodingFormat;
}

/**
 * Untrusted JSON -> `EmbedRequest`, in one pass. What needs a tokenizer (token counts, the range of ids) is checked
 * later. @throws ServiceError naming the parameter, `input[17]` for one item
 */
export function parseEmbedRequest(body: unknown, limits: RequestLimits): ParsedRequest {
  const fields = parseObject(body);
  if (limits.strictParameters) refuseUnknown(fields);
  const model = parseModel(fields['model']);
  const items = parseInput(fields['input'], limits);
  const encodingFormat = parseEncodingFormat(fields['encoding_format']);
  const dimensions = parseDimensions(fields['dimensions']);
  const optional = {
    dimensions,
    promptName: parseName(fields, 'prompt_name'),
    inputType: parseName(fields, 'input_type'),
    task: parseName(fields, 'task'),
  };
  return { request: { model, items, ...withoutAbsent(optional) }, encodingFormat };
}

const known = new Set(['model', 'input', 'encoding_format', 'dimensions', 'user', 'prompt_name', 'input_type', 'task']);
const maxNameCharacters = 128; // no model names its prompts at such length; keeps echoes in errors short
const maxModelCharacters = 256; // a hub id has at most 96 + 1 + 96; keeps echoes in errors short

function parseObject(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  const reason = body === undefined ? 'the body is empty' : `expected an object, got ${describe(body)}`;
  throw new ServiceError('invalid_json', { reason });
}

function refuseUnknown(fields: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(fields)) {
    if (!known.has(name)) throw new ServiceError('unknown_parameter', { param: name.slice(0, 64) });
  }
}

function parseModel(value: unknown): string {
  if (value === undefined || value === '') throw new ServiceError('missing_parameter', { param: 'model' });
  if (typeof value !== 'string') throw wrongType('model', 'a string', value);
  if (value.length <= maxModelCharacters) return value;
  const expected = `Expected at most ${maxModelCharacters} characters.`;
  throw new ServiceError('invalid_value', { param: 'model', got: quote(value), expected });
}

function parseEncodingFormat(value: unknown): EncodingFormat {
  if (value === undefined || value === null) return 'float';
  if (value === 'float' || value === 'base64') return value;
  if (typeof value !== 'string') throw wrongType('encoding_format', "'float' or 'base64'", value);
  const expected = "Supported values: ['float', 'base64'].";
  throw new ServiceError('invalid_value', { param: 'encoding_format', got: quote(value), expected });
}

function parseDimensions(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrongType('dimensions', 'an integer', value);
  if (value >= 1) return value;
  const expected = 'Must be greater than or equal to 1.';
  throw new ServiceError('invalid_value', { param: 'dimensions', got: value, expected });
}

/** Which names there are depends on the model, so `embed` finds out. */
function parseName(fields: Readonly<Record<string, unknown>>, param: string): string | undefined {
  const value = fields[param];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw wrongType(param, 'a string', value);
  if (value !== '' && value.length <= maxNameCharacters) return value;
  const expected = `Expected 1 to ${maxNameCharacters} characters.`;
  throw new ServiceError('invalid_value', { param, got: quote(value), expected });
}

function withoutAbsent<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: Exclude<T[K], undefined> }; // what is left is the same fields
}
