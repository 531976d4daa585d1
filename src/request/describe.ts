/** A JSON value in words for an error message; never more than a few characters of the caller's own text. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? `the integer ${value}` : `the number ${value}`;
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? 'a string' : 'an object';
}

/** The start of a text a caller sent, short enough for a message. */
export function quote(text: string): string {
  return text.length <= 64 ? text : `${text.slice(0, 64)}...`;
}
