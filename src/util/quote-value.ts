/** A value out of an untrusted file as JSON for a message: cut to length, whatever it holds and however deep it nests. */
export function quoteValue(value: unknown, maxCharacters: number, ellipsis = '...'): string {
  const text = toJson(value);
  return text.length > maxCharacters ? `${text.slice(0, maxCharacters)}${ellipsis}` : text;
}

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'nothing';
  } catch {
    return 'a value of too many levels'; // nothing else of a parsed file fails
  }
}
