import { isUtf8 } from 'node:buffer';
import { ServiceError } from '../errors.ts';
import { nestsDeeperThan } from './json-depth.ts';

/** Bytes of a body -> JSON value; nothing where the body is empty. @throws ServiceError `invalid_json` */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new ServiceError('invalid_json', { reason: 'it is not UTF-8' });
  if (bytes.length > smallBytes && nestsDeeperThan(bytes, maxDepth)) {
    throw new ServiceError('invalid_json', { reason: `it nests deeper than ${maxDepth} levels` });
  }
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (error) {
    throw new ServiceError('invalid_json', { reason: (error as Error).message }, { cause: error });
  }
}

const smallBytes = 64 * 1024; // any nesting of these is cheap to parse
const maxDepth = 64; // a request needs 3; the rest is room for fields that are ignored
