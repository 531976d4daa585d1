import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Number formats a safetensors file may hold, with their size in bytes. */
export const elementBytes = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;
export type ElementType = keyof typeof elementBytes;

/** A named tensor as a byte range of a file; its values do not enter JavaScript. */
export interface TensorView {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly file: string;
  /** From the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
  /** Set for the few that lie outside the model's folder and are small: they travel inside the graph. */
  readonly bytes?: Uint8Array;
}

export type TensorIndex = ReadonlyMap<string, TensorView>;

/** Thrown for files that are not valid safetensors. Permanent: reading again gives the same. */
export class SafetensorsError extends Error {}

const maxHeaderBytes = 100_000_000; // the limit of the reference implementation
const maxQuotedCharacters = 120; // a hostile header must not become the message

/**
 * Indexes the tensors of a model folder: `model.safetensors`, or the shards named by `model.safetensors.index.json`.
 * @throws SafetensorsError
 */
export function readTensorIndex(folder: string): TensorIndex {
  const single = join(folder, 'model.safetensors');
  if (existsSync(single)) return new Map(readHeader(single).map((view) => [view.name, view]));
  const indexFile = join(folder, 'model.safetensors.index.json');
  if (existsSync(indexFile)) return readShards(folder, indexFile);
  throw new SafetensorsError(`Expected model.safetensors or model.safetensors.index.json in ${folder}, found neither.`);
}

function readShards(folder: string, indexFile: string): TensorIndex {
  const shardOf = readWeightMap(indexFile);
  const index = new Map<string, TensorView>();
  for (const shard of new Set(shardOf.values())) {
    for (const view of readHeader(join(folder, shard))) {
      if (shardOf.get(view.name) === shard) index.set(view.name, view);
    }
  }
  for (const [name, shard] of shardOf) {
    if (!index.has(name)) {
      throw new SafetensorsError(`${indexFile} names the tensor ${quote(name)} in ${shard}, which does not hold it.`);
    }
  }
  return index;
}

/** The shard of each tensor. */
function readWeightMap(indexFile: string): ReadonlyMap<string, string> {
  const index = parseJson(readFileSync(indexFile), indexFile);
  const map = isRecord(index) ? index['weight_map'] : undefined;
  if (!isRecord(map)) throw new SafetensorsError(`Expected an object "weight_map" in ${indexFile}.`);
  const shardOf = new Map<string, string>();
  for (const [name, shard] of Object.entries(map)) {
    // A shard lies beside its index: a name with a folder in it could point anywhere on the disk.
    if (
      typeof shard !== 'string' ||
      shard !== basename(shard) ||
      !shard.endsWith('.safetensors') ||
      shard.includes('\0')
    ) {
      throw new SafetensorsError(
        `Expected plain names of .safetensors files in the weight_map of ${indexFile}, got ${quote(shard)}.`,
      );
    }
    shardOf.set(name, shard);
  }
  return shardOf;
}

/** File layout: u64 little-endian header length, JSON header, tensor bytes. */
function readHeader(path: string): readonly TensorView[] {
  // Asked before opening: opening a pipe would wait for its writer.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new SafetensorsError(`Expected a file ${path}, found none.`);
  }
  const file = realpathSync(path); // the Hugging Face cache links into its blobs folder
  const descriptor = openSync(file, 'r');
  try {
    const fileBytes = fstatSync(descriptor).size;
    const headerBytes = Number(readExactly(descriptor, file, { bytes: 8, position: 0 }).readBigUInt64LE());
    if (headerBytes > maxHeaderBytes || 8 + headerBytes > fileBytes) {
      throw new SafetensorsError(
        `${file} declares a header of ${headerBytes} bytes, more than the file or the limit of ${maxHeaderBytes} allows. It may be a Git LFS pointer or a partial download.`,
      );
    }
    const header = parseJson(
      readExactly(descriptor, file, { bytes: headerBytes, position: 8 }),
      `the header of ${file}`,
    );
    return parseHeader(header, { file, dataStart: 8 + headerBytes, fileBytes });
  } finally {
    closeSync(descriptor);
  }
}

function readExactly(
  descriptor: number,
  file: string,
  { bytes, position }: { bytes: number; position: number },
): Buffer {
  const buffer = Buffer.alloc(bytes);
  if (readSync(descriptor, buffer, 0, bytes, position) < bytes) {
    throw new SafetensorsError(`${file} is too short to be a safetensors file. It may be a partial download.`);
  }
  return buffer;
}

interface FileLayout {
  readonly file: string;
  /** Where the tensor bytes begin; the header counts offsets from here. */
  readonly dataStart: number;
  readonly fileBytes: number;
}

function parseHeader(header: unknown, layout: FileLayout): readonly TensorView[] {
  if (!isRecord(header)) throw new SafetensorsError(`Expected an object as the header of ${layout.file}.`);
  const views = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => parseEntry(name, entry, layout));
  checkCoverage(views, layout);
  return views;
}

function parseEntry(name: string, entry: unknown, { file, dataStart }: FileLayout): TensorView {
  const { dtype, shape, data_offsets: range } = isRecord(entry) ? entry : {};
  const fail = (what: string) => new SafetensorsError(`Tensor ${quote(name)} of ${file}: ${what}.`);
  if (!isElementType(dtype))
    throw fail(`expected a dtype of ${Object.keys(elementBytes).join(', ')}, got ${quote(dtype)}`);
  if (!isNaturals(shape)) throw fail(`expected a shape of whole numbers, got ${quote(shape)}`);
  if (!isNaturals(range) || range.length !== 2) throw fail(`expected two data_offsets, got ${quote(range)}`);
  const [begin = 0, end = 0] = range;
  const byteLength = shape.reduce((product, size) => product * size, elementBytes[dtype]);
  if (end - begin !== byteLength) {
    throw fail(`expected ${byteLength} bytes for shape ${quote(shape)} of ${dtype}, got the range ${begin} to ${end}`);
  }
  return { name, type: dtype, shape, file, offset: dataStart + begin, byteLength };
}

/** The format's own rule: tensors follow each other without overlap or hole and end with the file. */
function checkCoverage(views: readonly TensorView[], { file, dataStart, fileBytes }: FileLayout): void {
  let end = dataStart;
  for (const { name, offset, byteLength } of views.toSorted(
    (a, b) => a.offset - b.offset || a.byteLength - b.byteLength,
  )) {
    if (offset !== end) {
      throw new SafetensorsError(
        `Tensor ${quote(name)} of ${file}: expected its bytes to follow the tensor before it at ${end - dataStart}, got ${offset - dataStart}.`,
      );
    }
    end += byteLength;
  }
  if (end !== fileBytes) {
    throw new SafetensorsError(
      `Expected ${file} to have ${end} bytes, got ${fileBytes}. It may be a partial download.`,
    );
  }
}

function parseJson(bytes: Buffer, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new SafetensorsError(`Expected JSON in ${what}.`, { cause });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isElementType(value: unknown): value is ElementType {
  return typeof value === 'string' && Object.hasOwn(elementBytes, value);
}

function isNaturals(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > maxQuotedCharacters ? `${text.slice(0, maxQuotedCharacters)}...` : text;
}
