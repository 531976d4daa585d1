import { ServiceError } from '../errors.ts';
import { describe } from './describe.ts';

/** The error for a parameter of another JSON type than the one expected. */
export function wrongType(param: string, expected: string, value: unknown): ServiceError {
  return new ServiceError('invalid_type', { param, expected, got: describe(value) });
}
