import { TextDecoder } from 'node:util';
import { CliError } from './cli-error.ts';

/** One text with the words that find it again, such as `line 17 of notes.txt`. */
export interface SourceText {
  readonly text: string;
  readonly place: string;
  /** Bytes of the source consumed up to the end of this text. */
  readonly bytesRead: number;
}

export interface ReadOptions {
  /** Names the source in messages. */
  readonly source: string;
  /** Longest text allowed; also bounds the memory a file without line ends can take. */
  readonly maxCharacters: number;
}

/** The lines of UTF-8 bytes, split at LF and CRLF only. @throws CliError on an empty or overlong line and on other bytes */
export async function* readTexts(bytes: AsyncIterable<Uint8Array>, options: ReadOptions): AsyncGenerator<SourceText> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  let bytesRead = 0;
  let pending = '';
  for await (const chunk of bytes) {
    const pieces = (pending + decode(decoder, chunk, { line, options })).split('\n');
    pending = pieces.pop() ?? '';
    for (const piece of pieces) {
      bytesRead += Buffer.byteLength(piece) + 1;
      yield toText(piece.replace(/\r$/, ''), { line: line++, bytesRead, options });
    }
    if (pending.length > options.maxCharacters) throw tooLong(pending, `line ${line} of ${options.source}`, options);
  }
  const last = pending + decode(decoder, undefined, { line, options });
  bytesRead += Buffer.byteLength(last);
  if (last !== '') yield toText(last.replace(/\r$/, ''), { line, bytesRead, options });
}

/** Texts given as arguments. @throws CliError on an empty or overlong one */
export async function* readArguments(texts: readonly string[], options: ReadOptions): AsyncGenerator<SourceText> {
  for (const [index, text] of texts.entries()) {
    yield checked({ text, place: `text ${index + 1}`, bytesRead: index + 1 }, options);
  }
}

function toText(
  text: string,
  { line, bytesRead, options }: { line: number; bytesRead: number; options: ReadOptions },
): SourceText {
  return checked({ text, place: `line ${line} of ${options.source}`, bytesRead }, options);
}

function checked(item: SourceText, options: ReadOptions): SourceText {
  if (item.text === '') throw new CliError(`${item.place} is empty: expected a text. Remove empty lines first.`);
  if (item.text.length > options.maxCharacters) throw tooLong(item.text, item.place, options);
  return item;
}

function tooLong(text: string, place: string, { maxCharacters }: ReadOptions): CliError {
  return new CliError(
    `${place}: expected at most ${maxCharacters} characters, got ${text.length} or more. Split the text, or raise --max-input-characters.`,
  );
}

function decode(
  decoder: TextDecoder,
  chunk: Uint8Array | undefined,
  { line, options }: { line: number; options: ReadOptions },
): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch (error) {
    throw new CliError(`${options.source}: expected UTF-8 text, got other bytes at or after line ${line}.`, {
      cause: error,
    });
  }
}
