import { isUtf8 } from 'node:buffer';
import { ServiceError } from '../errors.ts';
import { findJsonExcess } from './json-size.ts';

/**
 * Bytes of a body -> JSON value; nothing where the body is empty. `maxInputs` is what one request may hold.
 * @throws ServiceError `invalid_json`
 */
export function parseJson(bytes: Buffer, { maxInputs }: { readonly maxInputs: number }): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new ServiceError('invalid_json', { reason: 'it is not UTF-8' });
  if (bytes.length > smallBytes) {
    const reason = findJsonExcess(bytes, { maxDepth, maxParts: maxInputs + spareParts });
    if (reason !== undefined) throw new ServiceError('invalid_json', { reason });
  }
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (error) {
    throw new ServiceError('invalid_json', { reason: (error as Error).message }, { cause: error });
  }
}

const smallBytes = 64 * 1024; // anything in these is cheap to parse
const maxDepth = 64; // a request needs 3; the rest is room for fields that are ignored
const spareParts = 100_000; // 0.1 s; lists of too many inputs get that far, to be told so by the parser of requests
