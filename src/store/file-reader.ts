import { closeSync, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { quoteValue } from '../util/quote-value.ts';

/** Thrown for weight files that cannot be used. Permanent: reading again gives the same. */
export class WeightFileError extends Error {}

const maxQuotedCharacters = 120; // a hostile file must not become the message

/** A value out of an untrusted file, for a message. */
export function quote(value: unknown): string {
  return quoteValue(value, maxQuotedCharacters);
}

/** Random access to a file whose contents are not trusted: every read is held to the size of the file. */
export class FileReader {
  /** As it was asked for, for messages. */
  readonly path: string;
  /** The file itself, behind the links of the Hugging Face cache. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly #descriptor: number;

  /** @throws WeightFileError when there is no file */
  constructor(path: string) {
    // Asked before opening: opening a pipe would wait for its writer.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
      throw new WeightFileError(`Expected a file ${path}, found none.`);
    this.path = path;
    this.file = realpathSync(path);
    this.#descriptor = openSync(this.file, 'r');
    this.sizeBytes = fstatSync(this.#descriptor).size;
  }

  /** @throws WeightFileError when the range leaves the file */
  read(position: number, bytes: number): Buffer {
    if (!(position >= 0 && bytes >= 0 && position + bytes <= this.sizeBytes)) throw this.cutShort();
    const buffer = Buffer.alloc(bytes);
    for (let done = 0; done < bytes;) {
      const count = readSync(this.#descriptor, buffer, done, bytes - done, position + done);
      if (count === 0) throw this.cutShort(); // the file shrank since it was opened
      done += count;
    }
    return buffer;
  }

  cutShort(): WeightFileError {
    return new WeightFileError(`${this.path} is too short. It may be a partial download.`);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

const windowBytes = 65_536;

/** Reads a part of a file from front to back; what is skipped is never read. */
export class FileCursor {
  readonly reader: FileReader;
  /** Where the part ends. */
  readonly end: number;
  #position: number;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  constructor(reader: FileReader, { start, end }: { readonly start: number; readonly end: number }) {
    if (!(start >= 0 && start <= end && end <= reader.sizeBytes)) throw reader.cutShort();
    this.reader = reader;
    this.end = end;
    this.#position = start;
  }

  /** From the start of the file. */
  get position(): number {
    return this.#position;
  }

  byte(): number {
    return this.take(1)[0]!; // take gave one byte
  }

  /** The next bytes; they stay valid. @throws WeightFileError when the part has fewer */
  take(bytes: number): Buffer {
    const start = this.#position;
    this.skip(bytes);
    if (bytes > windowBytes) return this.reader.read(start, bytes);
    const isInside = start >= this.#windowStart && start + bytes <= this.#windowStart + this.#window.length;
    if (!isInside) {
      this.#window = this.reader.read(start, Math.min(windowBytes, this.end - start));
      this.#windowStart = start;
    }
    return this.#window.subarray(start - this.#windowStart, start - this.#windowStart + bytes);
  }

  skip(bytes: number): void {
    if (!(bytes >= 0 && this.#position + bytes <= this.end)) throw this.reader.cutShort();
    this.#position += bytes;
  }
}
