/** One line of the key file: a key without the key. */
export interface KeyRecord {
  /** Unique; in logs and lists. */
  readonly name: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly hash: string;
  readonly created: string;
  /** From this time on the key is refused. */
  readonly expires?: string;
  /** Names of the allowlist that it may use, `*` standing for any characters; all of them when absent. */
  readonly models?: readonly string[];
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  /** Since when, where it is known. */
  readonly revoked?: string | true;
}

/** Checks one line. @throws Error that names the field, and never repeats the hash */
export function parseKeyRecord(line: string): KeyRecord {
  const value = parseObject(line);
  for (const field of Object.keys(value))
    if (!Object.hasOwn(fields, field)) throw expected(`one of the fields ${Object.keys(fields).join(', ')}`, field);
  for (const [field, { what, isGood, isRequired = false }] of Object.entries<Field>(fields)) {
    const got = value[field];
    if (got === undefined ? isRequired : !isGood(got)) throw expected(`${what} as ${field}`, got);
  }
  return value as unknown as KeyRecord; // every field was looked at
}

interface Field {
  readonly what: string;
  readonly isGood: (value: unknown) => boolean;
  readonly isRequired?: boolean;
}

const time: Field = { what: 'a time such as 2027-01-01 or 2027-01-01T12:00:00Z', isGood: isTime };
const count: Field = {
  what: 'a whole number from 1',
  isGood: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 1,
};

const fields: Readonly<Record<keyof KeyRecord, Field>> = {
  name: { what: keyNameRule(), isGood: (value) => typeof value === 'string' && isKeyName(value), isRequired: true },
  hash: {
    what: 'sha256: and 64 hexadecimal digits in lower case',
    isGood: (value) => typeof value === 'string' && /^sha256:[\da-f]{64}$/.test(value),
    isRequired: true,
  },
  created: { ...time, isRequired: true },
  expires: time,
  models: { what: 'a list of names such as ["acme/*"]', isGood: isModelList },
  requestsPerMinute: count,
  tokensPerMinute: count,
  revoked: { what: 'a time, or true,', isGood: (value) => value === true || isTime(value) },
};

/** The names of the keys in EMBEDDINGS_API_KEYS, and of everybody, are not for others. */
export function isKeyName(name: string): boolean {
  return /^[A-Za-z\d][\w.@-]{0,63}$/.test(name) && !/^(anyone$|env-\d+$|sk-)/.test(name);
}

export function keyNameRule(): string {
  return 'a name of 1 to 64 letters, digits and . _ - @, not "anyone" or "env-1" and no key,';
}

/** A day, which begins at midnight UTC, or a time with its zone. */
export function isTime(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  const [, day] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.exec(value) ?? [];
  if (day === undefined || Number.isNaN(Date.parse(value))) return false;
  return !Number.isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day); // no 30 February
}

export function isModelList(value: unknown): value is readonly string[] {
  const isName = (name: unknown): boolean => typeof name === 'string' && /^[\w.:@*/-]{1,200}$/.test(name);
  return Array.isArray(value) && value.length > 0 && value.every(isName);
}

function parseObject(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error('expected a JSON object on one line'); // the engine's own words would repeat a part of the line
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('expected a JSON object on one line');
  return value as Record<string, unknown>; // just looked at
}

/** Never repeats what is a hash or a key, or stands in its place. */
function expected(what: string, got: unknown): Error {
  const text = got === undefined ? 'nothing' : JSON.stringify(got);
  const isSecret = /sk-|[\da-f]{32}/i.test(text);
  return new Error(`expected ${what}, got ${isSecret ? 'something else' : text.slice(0, 100)}`);
}
