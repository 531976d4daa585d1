import { basename, dirname, join } from 'node:path';
import { FileCursor, FileReader, quote, WeightFileError } from './file-reader.ts';
import { elementBytes, type ElementType, type TensorView } from './safetensors.ts';
import { readField, readVarint, type WireField } from './wire.ts';

const smallBytes = 1024; // smaller constants stay in the model: shapes and axes, which the runtime must see early
const maxNameBytes = 10_000;
const maxDimensions = 64;

/** Numbers of the fields of TensorProto. */
const fields = {
  dims: 1,
  dataType: 2,
  segment: 3,
  floats: 4,
  name: 8,
  raw: 9,
  doubles: 10,
  external: 13,
  location: 14,
};
const externalLocation = 1;

/** TensorProto.DataType. What is not here has no size in whole bytes, or no numbers. */
const elementTypes: Readonly<Record<number, ElementType>> = {
  1: 'F32',
  2: 'U8',
  3: 'I8',
  4: 'U16',
  5: 'I16',
  6: 'I32',
  7: 'I64',
  9: 'BOOL',
  10: 'F16',
  11: 'F64',
  12: 'U32',
  13: 'U64',
  16: 'BF16',
};

/**
 * One TensorProto as a byte range: of the file itself, or of the file beside it that it names. Nothing for a small
 * tensor, which stays in the model. @throws WeightFileError
 */
export function readInitializer(cursor: FileCursor): TensorView | undefined {
  const tensor = readTensor(cursor);
  const { name, external, data } = tensor;
  if (external === undefined && (data === undefined || data.byteLength < smallBytes)) return undefined;
  const path = cursor.reader.path;
  const fail = (what: string) => new WeightFileError(`Initialiser ${quote(name)} of ${path}: ${what}.`);
  const type = elementTypes[tensor.dataType];
  if (type === undefined) throw fail(`expected numbers of 8 bits or more, got the data type ${tensor.dataType}`);
  if (name === '') throw fail('expected a name, got none');
  const { shape } = tensor;
  const byteLength = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, elementBytes[type]);
  const range = external === undefined ? { file: cursor.reader.file, ...data! } : findExternal(path, external, fail); // data is there: see above
  if (byteLength !== (range.byteLength ?? byteLength))
    throw fail(`expected ${byteLength} bytes for the shape ${quote(shape)} of ${type}, got ${range.byteLength}`);
  if ('fileBytes' in range && range.offset + byteLength > range.fileBytes)
    throw fail(
      `expected ${byteLength} bytes at ${range.offset} of ${range.file}, which has ${range.fileBytes}. It may be a partial download`,
    );
  return { name, type, shape, file: range.file, offset: range.offset, byteLength };
}

interface Range {
  readonly offset: number;
  readonly byteLength: number;
}

interface Tensor {
  readonly name: string;
  readonly dataType: number;
  readonly shape: readonly number[];
  /** Key and value pairs, where the numbers lie in another file. */
  readonly external: ReadonlyMap<string, string> | undefined;
  /** Little-endian numbers inside the message, where they lie in one piece. */
  readonly data: Range | undefined;
}

function readTensor(cursor: FileCursor): Tensor {
  let [name, dataType, isExternal, isSplit] = ['', 0, false, false];
  let data: Range | undefined;
  const shape: number[] = [];
  const entries = new Map<string, string>();
  while (cursor.position < cursor.end) {
    const field = readField(cursor);
    const { number, type, value } = field;
    if (shape.length > maxDimensions) throw tooLong(cursor, field, maxDimensions);
    if (number === fields.dims) shape.push(...readDims(cursor, field));
    else if (number === fields.dataType) dataType = value;
    else if (number === fields.name) name = readText(cursor, field);
    else if (number === fields.location) isExternal = value === externalLocation;
    else if (number === fields.external) entries.set(...readEntry(cursor, field));
    else if (number === fields.segment) isSplit = true;
    else if (number === fields.raw || ((number === fields.floats || number === fields.doubles) && type === 'bytes')) {
      isSplit ||= data !== undefined;
      data = { offset: field.payloadStart, byteLength: field.end - field.payloadStart };
    }
  }
  return { name, dataType, shape, external: isExternal ? entries : undefined, data: isSplit ? undefined : data };
}

/** Packed or one by one. */
function readDims(cursor: FileCursor, field: WireField): readonly number[] {
  if (field.type === 'varint') return [field.value];
  const dims: number[] = [];
  const inner = inside(cursor, field, maxDimensions * 10); // ten bytes hold any integer
  while (inner.position < inner.end) dims.push(readVarint(inner));
  return dims;
}

function readEntry(cursor: FileCursor, field: WireField): [string, string] {
  const inner = inside(cursor, field, 2 * maxNameBytes);
  let [key, value] = ['', ''];
  while (inner.position < inner.end) {
    const part = readField(inner);
    if (part.number === 1) key = readText(inner, part);
    if (part.number === 2) value = readText(inner, part);
  }
  return [key, value];
}

function readText(cursor: FileCursor, field: WireField): string {
  const inner = inside(cursor, field, maxNameBytes);
  return inner.take(inner.end - inner.position).toString('utf8');
}

function inside(cursor: FileCursor, field: WireField, maxBytes: number): FileCursor {
  const { type, payloadStart, end } = field;
  if (type !== 'bytes' || end - payloadStart > maxBytes) throw tooLong(cursor, field, maxBytes);
  return new FileCursor(cursor.reader, { start: payloadStart, end });
}

function tooLong(cursor: FileCursor, { payloadStart }: WireField, most: number): WeightFileError {
  return new WeightFileError(
    `${cursor.reader.path} is no ONNX file that can be used: expected a field of at most ${most} bytes or numbers at ${payloadStart}.`,
  );
}

interface ExternalRange {
  readonly file: string;
  readonly fileBytes: number;
  readonly offset: number;
  /** Absent where the file does not say it. */
  readonly byteLength?: number;
}

function findExternal(
  path: string,
  entries: ReadonlyMap<string, string>,
  fail: (what: string) => WeightFileError,
): ExternalRange {
  const location = (entries.get('location') ?? '').replace(/^\.\//, '');
  // Data lies beside its graph: a name with a folder in it could point anywhere on the disk.
  if (location === '' || location !== basename(location) || location === '..' || /[\\\0]/.test(location))
    throw fail(`expected the plain name of a data file beside it, got ${quote(location)}`);
  const [offset, byteLength] = ['offset', 'length'].map((key) => toNatural(entries.get(key), key, fail));
  const reader = new FileReader(join(dirname(path), location));
  reader.close();
  return {
    file: reader.file,
    fileBytes: reader.sizeBytes,
    offset: offset ?? 0,
    ...(byteLength === undefined ? {} : { byteLength }),
  };
}

function toNatural(text: string | undefined, key: string, fail: (what: string) => WeightFileError): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw fail(`expected a whole number as ${key}, got ${quote(text)}`);
  return Number(text);
}
