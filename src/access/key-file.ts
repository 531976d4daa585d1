import { parseKeyRecord, type KeyRecord } from './key-record.ts';

/** Thrown for a file with bad lines; names every one of them, one a line of the message. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

interface KeyLine {
  /** From 1. */
  readonly line: number;
  readonly record: KeyRecord;
}

/**
 * Reads the text of a key file: one JSON object a line, so that a fault is one line's and an edit changes one line;
 * lines that begin with `#` are comments. @throws KeyFileError
 */
export function parseKeyFile(text: string): readonly KeyLine[] {
  const found: KeyLine[] = [];
  const problems: string[] = [];
  const lineOf = new Map<string, number>();
  const claim = (what: string, value: string, line: number): void => {
    const earlier = lineOf.get(value);
    if (earlier !== undefined) throw new Error(`expected a ${what} used once, got that of line ${earlier} again`);
    lineOf.set(value, line);
  };
  for (const [index, content] of splitLines(text).entries()) {
    const line = index + 1;
    if (content.trim() === '' || content.startsWith('#')) continue;
    try {
      const record = parseKeyRecord(content);
      claim('name', record.name, line);
      claim('hash', record.hash, line);
      found.push({ line, record });
    } catch (error) {
      problems.push(`line ${line}: ${(error as Error).message}`);
    }
  }
  if (problems.length > 0) throw new KeyFileError(problems.join('\n'));
  return found;
}

/** The file with one key more. @throws KeyFileError where it is bad or has the name already */
export function addKey(text: string, record: KeyRecord): string {
  const same = parseKeyFile(text).find(({ record: { name } }) => name === record.name);
  if (same !== undefined) {
    const state = same.record.revoked === undefined ? 'a key' : 'a revoked key';
    throw new KeyFileError(`line ${same.line}: there is ${state} called ${record.name}; choose another name`);
  }
  const end = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${end}${JSON.stringify(record)}\n`;
}

/** The file with that key revoked since `now`; every other line stays as it is. @throws KeyFileError where there is none */
export function revokeKey(text: string, name: string, now: string): string {
  const keys = parseKeyFile(text);
  const found = keys.find(({ record }) => record.name === name);
  if (found === undefined) {
    const names = keys.map(({ record }) => record.name).join(', ');
    throw new KeyFileError(`there is no key called ${name}; the names are: ${names === '' ? 'none' : names}`);
  }
  if (found.record.revoked !== undefined) return text;
  const lines = splitLines(text);
  lines[found.line - 1] = JSON.stringify({ ...found.record, revoked: now });
  return lines.join('\n');
}

function splitLines(text: string): string[] {
  return text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
}
