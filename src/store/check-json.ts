import { quoteValue } from '../util/quote-value.ts';

/** Says where in a JSON document something is wrong: `models[0].commit: expected ..., got ...`. */
export class JsonShapeError extends Error {
  override readonly name = 'JsonShapeError';
}

/** An object with these keys and no other, so that a typing error or a newer format is never taken for nothing. */
export function readObject<const K extends string>(
  value: unknown,
  at: string,
  keys: readonly K[],
): Readonly<Record<K, unknown>> {
  const object = readRecord(value, at);
  const stranger = Object.keys(object).find((key) => !(keys as readonly string[]).includes(key));
  if (stranger !== undefined) throw wrong(at, `only the keys ${keys.join(', ')}`, show(stranger));
  const missing = keys.find((key) => !Object.hasOwn(object, key));
  if (missing !== undefined) throw wrong(at, `the key ${missing}`, 'none');
  return object as Record<K, unknown>; // the line above just looked for every key
}

/** An object with keys of any name. */
export function readRecord(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw wrong(at, 'an object', show(value));
  return value;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function readList(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(at, 'a list', show(value));
  return value;
}

export function readText(value: unknown, at: string, what: string, isGood: (text: string) => boolean): string {
  if (typeof value !== 'string' || !isGood(value)) throw wrong(at, what, show(value));
  return value;
}

export function readSize(value: unknown, at: string): number {
  if (!isSize(value)) throw wrong(at, 'a number of bytes', show(value));
  return value;
}

export function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function wrong(at: string, expected: string, got: string): JsonShapeError {
  return new JsonShapeError(`${at}: expected ${expected}, got ${got}`);
}

export function show(value: unknown): string {
  return quoteValue(value, 100);
}
