import { type FileCursor, WeightFileError } from './file-reader.ts';

/** One field of a protobuf message in a file: its number, and where its payload lies. */
export interface WireField {
  readonly number: number;
  /** `varint` fields carry their value; the payload of `bytes` is a text, bytes, a message or packed numbers. */
  readonly type: 'varint' | 'bytes' | 'fixed';
  readonly value: number;
  /** Of the whole field, its key included. */
  readonly start: number;
  readonly payloadStart: number;
  readonly end: number;
}

/** Reads the next field and leaves the cursor behind it; payloads are skipped, not read. @throws WeightFileError */
export function readField(cursor: FileCursor): WireField {
  const start = cursor.position;
  const key = readVarint(cursor);
  const number = Math.floor(key / 8);
  if (number === 0) throw broken(cursor, 'a field number above 0');
  switch (key % 8) {
    case 0: {
      const value = readVarint(cursor);
      return { number, type: 'varint', value, start, payloadStart: cursor.position, end: cursor.position };
    }
    case 1:
    case 5: {
      const payloadStart = cursor.position;
      cursor.skip(key % 8 === 1 ? 8 : 4);
      return { number, type: 'fixed', value: 0, start, payloadStart, end: cursor.position };
    }
    case 2: {
      const length = readVarint(cursor);
      const payloadStart = cursor.position;
      cursor.skip(length);
      return { number, type: 'bytes', value: 0, start, payloadStart, end: cursor.position };
    }
    default:
      throw broken(cursor, 'no groups');
  }
}

/** An unsigned integer; above 2^53 only its size counts, since no length or size of a file is that large. */
export function readVarint(cursor: FileCursor): number {
  let value = 0;
  for (let shift = 0; shift < 10; shift++) {
    const byte = cursor.byte();
    value += (byte & 0x7f) * 128 ** shift;
    if (byte < 0x80) return value;
  }
  throw broken(cursor, 'integers of at most 10 bytes');
}

export function toVarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

function broken(cursor: FileCursor, expected: string): WeightFileError {
  return new WeightFileError(
    `${cursor.reader.path} is no ONNX file: expected ${expected} near byte ${cursor.position}.`,
  );
}
