/** How deep JSON text may nest, and how many objects, arrays and keys it may hold. */
export interface JsonLimits {
  readonly maxDepth: number;
  readonly maxParts: number;
}

/**
 * Why JSON text would cost too much to parse, found without parsing it; undefined where it would not. `JSON.parse`
 * takes some 80 bytes of memory for every open bracket and as many for every object and key, and their time: 64 MB of
 * `{},{},` would hold the event loop for 20 s. Strings are skipped by native search.
 */
export function findJsonExcess(json: Buffer, { maxDepth, maxParts }: JsonLimits): string | undefined {
  let depth = 0;
  let parts = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === quoteMark) {
      at = endOfString(json, at);
      if (at === -1) return undefined; // no valid JSON: the parser says so
    } else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      parts += 1;
      if (depth > maxDepth) return `it nests deeper than ${maxDepth} levels`;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
    else if (byte === 0x3a) parts += 1; // one colon a key
    if (parts > maxParts) return `it holds more than ${maxParts} arrays, objects and keys`;
  }
  return undefined;
}

const quoteMark = 0x22;
const backslash = 0x5c;

/** Index of the quote that closes the string opened at `start`, -1 where none does. */
function endOfString(json: Buffer, start: number): number {
  for (let end = json.indexOf(quoteMark, start + 1); end !== -1; end = json.indexOf(quoteMark, end + 1)) {
    let escapes = 0;
    while (json[end - 1 - escapes] === backslash) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return -1;
}
