/** Thrown for configuration files of a model that cannot be used, by `parseConfig` of an architecture for one. */
export class ConfigFieldError extends Error {}

const maxQuotedCharacters = 120; // a hostile value must not become the message

/** Reads fields of an untrusted config.json one by one; each error names the field. */
export class ConfigFields {
  readonly #json: Readonly<Record<string, unknown>>;

  constructor(json: unknown) {
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      throw new ConfigFieldError('Expected config.json to hold an object.');
    this.#json = json as Readonly<Record<string, unknown>>; // checked above
  }

  /** A whole number of at least `min`. */
  integer(field: string, { fallback, min = 1 }: { readonly fallback?: number; readonly min?: number } = {}): number {
    const value = this.#json[field] ?? fallback;
    if (!isInteger(value) || value < min) throw wrong(field, `a whole number of at least ${min}`, value);
    return value;
  }

  /** A whole number that divides the value of another field, as heads divide the hidden size. */
  divisor(field: string, otherField: string, other: number): number {
    const value = this.#json[field];
    if (!isInteger(value) || value < 1 || other % value !== 0)
      throw wrong(field, `a divisor of ${otherField} ${other}`, value);
    return value;
  }

  /** A number above 0 that float32 can hold. */
  positive(field: string, fallback?: number): number {
    const value = this.#json[field] ?? fallback;
    const isUsable = typeof value === 'number' && Math.fround(value) > 0 && Number.isFinite(Math.fround(value));
    if (!isUsable) throw wrong(field, 'a number above 0', value);
    return value;
  }

  /** A value that `isAllowed` accepts; `expected` says which those are. */
  choice<T>(field: string, isAllowed: (value: unknown) => value is T, expected: string, fallback?: T): T {
    const value = this.#json[field] ?? fallback;
    if (!isAllowed(value)) throw wrong(field, expected, value);
    return value;
  }

  /** Refuses every value but the one the graph is built for, which is also the default. */
  fixed(field: string, only: string | number | boolean): void {
    const value = this.#json[field] ?? only;
    if (value !== only) throw wrong(field, JSON.stringify(only), value);
  }
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function wrong(field: string, expected: string, got: unknown): ConfigFieldError {
  const text = JSON.stringify(got) ?? 'nothing';
  const quoted = text.length > maxQuotedCharacters ? `${text.slice(0, maxQuotedCharacters)}...` : text;
  return new ConfigFieldError(`Expected ${field} of config.json to be ${expected}, got ${quoted}.`);
}
