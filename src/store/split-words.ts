const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', '"': '"', '\\': '\\' };

/**
 * Splits one line at spaces. `#` starts a comment where a word could start; a value after `=` may stand in double
 * quotes, in which `\n`, `\t`, `\"` and `\\` are escapes. @throws Error that says what was expected
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let rest = line.trim();
  while (rest !== '' && !rest.startsWith('#')) {
    const opening = /^[^\s="]+="/.exec(rest)?.[0];
    if (opening === undefined) {
      const word = /^\S+/.exec(rest)?.[0] ?? '';
      words.push(word);
      rest = rest.slice(word.length).trimStart();
    } else {
      const { value, length } = readQuoted(rest, opening.length);
      words.push(opening.slice(0, -1) + value);
      rest = rest.slice(length);
      if (rest !== '' && !/^\s/.test(rest))
        throw new Error(`expected a space after the closing quote, got ${JSON.stringify(rest.slice(0, 20))}`);
      rest = rest.trimStart();
    }
  }
  return words;
}

/** Reads from just behind the opening quote; `length` ends behind the closing one. */
function readQuoted(text: string, start: number): { value: string; length: number } {
  let value = '';
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') return { value, length: at + 1 };
    if (character !== '\\') {
      value += character;
      continue;
    }
    at++;
    const meant = escapes[text.charAt(at)];
    if (meant === undefined)
      throw new Error(`expected \\n, \\t, \\" or \\\\ in quotes, got ${JSON.stringify(text.slice(at - 1, at + 1))}`);
    value += meant;
  }
  throw new Error(`expected a closing ", got the end of the line after ${JSON.stringify(text.slice(0, 60))}`);
}
