import { quoteValue } from '../util/quote-value.ts';
import { readBounded } from '../util/read-bounded.ts';

const maxBytes = 64_000_000; // that of Gemma, among the largest, has 33 MB

/** A UTF-8 file as Python reads text: every line end is `\n`, a byte order mark stays. */
export function readText(file: string): string {
  const bytes = readBounded(file, maxBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replaceAll(/\r\n?/g, '\n');
  } catch (cause) {
    throw new Error(`Expected UTF-8 text in ${file}, got other bytes. Download the file again.`, { cause });
  }
}

/** Lines without their ends; what follows the last `\n` counts as a line only if it is not empty. */
export function readLines(file: string): readonly string[] {
  const lines = readText(file).split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** A JSON file that holds an object. */
export function readJsonObject(file: string): Readonly<Record<string, unknown>> {
  const value = parse(file);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`Expected a JSON object in ${file}, got ${describe(value)}.`);
  return value as Readonly<Record<string, unknown>>; // just checked
}

/** Short enough for a message, whatever the file holds. */
export function describe(value: unknown): string {
  return quoteValue(value, 60, '…');
}

function parse(file: string): unknown {
  const text = new TextDecoder().decode(readBounded(file, maxBytes)); // without a byte order mark
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`Expected JSON in ${file}: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
}
