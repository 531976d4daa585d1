import { quote } from '../store/file-reader.ts';

/** Thrown for configuration files of a model that cannot be used, by `parseConfig` of an architecture for one. */
export class ConfigFieldError extends Error {}

/** For models whose `parseConfig` or graph has a part for each layer before any weight is asked for; published ones have up to 126. */
export const maxLayers = 1000;

/** Reads fields of an untrusted config.json one by one; each error names the field. */
export class ConfigFields {
  readonly #json: Readonly<Record<string, unknown>>;
  readonly #where: string;

  constructor(json: unknown, where = 'config.json') {
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      throw new ConfigFieldError(`Expected ${where} to hold an object.`);
    this.#json = json as Readonly<Record<string, unknown>>; // checked above
    this.#where = where;
  }

  /** The first of these names that has a value; the first of all where none has. For fields with several spellings. */
  nameOf(...names: readonly [string, ...string[]]): string {
    return names.find((name) => this.has(name)) ?? names[0];
  }

  /** Every field, to be checked by whoever asks. */
  get object(): Readonly<Record<string, unknown>> {
    return this.#json;
  }

  /** Whether the field has a value; null is none. */
  has(field: string): boolean {
    return this.value(field) !== undefined && this.value(field) !== null;
  }

  /** The field as it stands, to be checked by whoever asks. */
  value(field: string): unknown {
    return Object.hasOwn(this.#json, field) ? this.#json[field] : undefined;
  }

  /** The fields of an object inside, or undefined where there is none. */
  nested(field: string): ConfigFields | undefined {
    return this.has(field) ? new ConfigFields(this.value(field), `${field} of ${this.#where}`) : undefined;
  }

  /** A whole number of at least `min`, and at most `max`: for sizes that no tensor backs. */
  integer(
    field: string,
    { fallback, min = 1, max }: { readonly fallback?: number; readonly min?: number; readonly max?: number } = {},
  ): number {
    const value = this.value(field) ?? fallback;
    const expected = max === undefined ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`;
    if (!isInteger(value) || value < min || value > (max ?? value)) throw this.#wrong(field, expected, value);
    return value;
  }

  /** A whole number that divides the value of another field, as heads divide the hidden size. */
  divisor(field: string, otherField: string, other: number): number {
    const value = this.value(field);
    if (!isInteger(value) || value < 1 || other % value !== 0)
      throw this.#wrong(field, `a divisor of ${otherField} ${other}`, value);
    return value;
  }

  /** A number above 0 that float32 can hold. */
  positive(field: string, fallback?: number): number {
    const value = this.value(field) ?? fallback;
    const isUsable = typeof value === 'number' && Math.fround(value) > 0 && Number.isFinite(Math.fround(value));
    if (!isUsable) throw this.#wrong(field, 'a number above 0', value);
    return value;
  }

  optionalPositive(field: string): number | undefined {
    return this.has(field) ? this.positive(field) : undefined;
  }

  /** True or false; some files hold it as a text. */
  boolean(field: string, fallback: boolean): boolean {
    const value = this.value(field) ?? fallback;
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw this.#wrong(field, 'true or false', value);
  }

  optionalText(field: string): string | undefined {
    if (!this.has(field)) return undefined;
    const value = this.value(field);
    if (typeof value !== 'string') throw this.#wrong(field, 'a text', value);
    return value;
  }

  /** A value that `isAllowed` accepts; `expected` says which those are. */
  choice<T>(field: string, isAllowed: (value: unknown) => value is T, expected: string, fallback?: T): T {
    const value = this.value(field) ?? fallback;
    if (!isAllowed(value)) throw this.#wrong(field, expected, value);
    return value;
  }

  /** Refuses every value but the one the graph is built for, which is also the default. */
  fixed(field: string, only: string | number | boolean): void {
    const value = this.value(field) ?? only;
    if (value !== only) throw this.#wrong(field, JSON.stringify(only), value);
  }

  #wrong(field: string, expected: string, got: unknown): ConfigFieldError {
    return new ConfigFieldError(`Expected ${field} of ${this.#where} to be ${expected}, got ${quote(got)}.`);
  }
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
