/**
 * Whether JSON text nests deeper than `max`, without parsing it. `JSON.parse` takes about 80 bytes of memory for every
 * open bracket, so a body of brackets alone would cost gigabytes. Strings are skipped by native search.
 */
export function nestsDeeperThan(json: Buffer, max: number): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === quoteMark) {
      at = endOfString(json, at);
      if (at === -1) return false; // no valid JSON: the parser says so
    } else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > max) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return false;
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
