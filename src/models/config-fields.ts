/** Thrown by `parseConfig` of an architecture. */
export class ConfigFieldError extends Error {}

/** Reads fields of an untrusted config.json one by one; each error names the field. */
export class ConfigFields {
  readonly #json: Readonly<Record<string, unknown>>;

  constructor(json: unknown) {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new ConfigFieldError('Expected config.json to hold an object.');
    this.#json = json as Readonly<Record<string, unknown>>; // checked above
  }

  /** A whole number of at least `min`. */
  integer(field: string, { fallback, min = 1 }: { readonly fallback?: number; readonly min?: number } = {}): number {
    const value = this.#json[field] ?? fallback;
    if (!Number.isSafeInteger(value) || (value as number) < min) throw wrong(field, `a whole number of at least ${min}`, value);
    return value as number; // checked above
  }

  positive(field: string, fallback?: number): number {
    const value = this.#json[field] ?? fallback;
    if (typeof value !== 'number' || !(value > 0)) throw wrong(field, 'a number above 0', value);
    return value;
  }

  /** A value that `isAllowed` accepts; `expected` says which those are. */
  choice<T>(field: string, isAllowed: (value: unknown) => value is T, expected: string, fallback?: T): T {
    const value = this.#json[field] ?? fallback;
    if (!isAllowed(value)) throw wrong(field, expected, value);
    return value;
  }
}

function wrong(field: string, expected: string, got: unknown): ConfigFieldError {
  return new ConfigFieldError(`Expected ${field} of config.json to be ${expected}, got ${JSON.stringify(got) ?? 'nothing'}.`);
}
