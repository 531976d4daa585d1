import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Number formats of safetensors files that the engine reads, with their size in bytes. */
export const elementBytes = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const;
export type ElementType = keyof typeof elementBytes;

/** A named tensor as a byte range of a file; its values never enter JavaScript. */
export interface TensorView {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly file: string;
  /** From the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

export type TensorIndex = ReadonlyMap<string, TensorView>;

/** Thrown for files that are not valid safetensors. Permanent: reading again gives the same. */
export class SafetensorsError extends Error {}

const maxHeaderBytes = 100_000_000; // the limit of the reference implementation

/**
 * Indexes the tensors of a model folder: `model.safetensors`, or the shards named by `model.safetensors.index.json`.
 * @throws SafetensorsError
 */
export function readTensorIndex(folder: string): TensorIndex {
  const single = join(folder, 'model.safetensors');
  if (existsSync(single)) return new Map(readHeader(single).map((view) => [view.name, view]));
  const indexFile = join(folder, 'model.safetensors.index.json');
  if (!existsSync(indexFile)) throw new SafetensorsError(`Expected model.safetensors or model.safetensors.index.json in ${folder}, found neither.`);
  return readShards(folder, indexFile);
}

function readShards(folder: string, indexFile: string): TensorIndex {
  const weightMap: unknown = JSON.parse(readFileSync(indexFile, 'utf8'))?.weight_map;
  if (typeof weightMap !== 'object' || weightMap === null) throw new SafetensorsError(`Expected an object "weight_map" in ${indexFile}.`);
  const shards = new Set<string>();
  for (const shard of Object.values(weightMap)) {
    // A shard lies beside its index: a name with a folder in it could point anywhere on the disk.
    if (typeof shard !== 'string' || shard !== basename(shard)) throw new SafetensorsError(`Expected plain file names in the weight_map of ${indexFile}, got ${JSON.stringify(shard)}.`);
    shards.add(shard);
  }
  const index = new Map<string, TensorView>();
  for (const shard of shards) {
    for (const view of readHeader(join(folder, shard))) {
      if (Object.hasOwn(weightMap, view.name)) index.set(view.name, view);
    }
  }
  for (const name of Object.keys(weightMap)) {
    if (!index.has(name)) throw new SafetensorsError(`${indexFile} names the tensor ${name}, which no shard holds.`);
  }
  return index;
}

/** File layout: u64 little-endian header length, JSON header, tensor bytes. */
function readHeader(path: string): TensorView[] {
  const file = realpathSync(path); // the Hugging Face cache links into its blobs folder
  const descriptor = openSync(file, 'r');
  try {
    const fileBytes = fstatSync(descriptor).size;
    const prefix = Buffer.alloc(8);
    if (readSync(descriptor, prefix, 0, 8, 0) < 8) throw new SafetensorsError(`${file} is too short to be a safetensors file.`);
    const headerBytes = Number(prefix.readBigUInt64LE());
    if (headerBytes > maxHeaderBytes || 8 + headerBytes > fileBytes) {
      throw new SafetensorsError(`${file} declares a header of ${headerBytes} bytes, more than the file or the limit of ${maxHeaderBytes} allows. It may be a Git LFS pointer or a partial download.`);
    }
    const header = Buffer.alloc(headerBytes);
    readSync(descriptor, header, 0, headerBytes, 8);
    return parseHeader(file, header.toString('utf8'), 8 + headerBytes, fileBytes);
  } finally {
    closeSync(descriptor);
  }
}

function parseHeader(file: string, json: string, dataStart: number, fileBytes: number): TensorView[] {
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch (cause) {
    throw new SafetensorsError(`The header of ${file} is not JSON.`, { cause });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw new SafetensorsError(`Expected an object as the header of ${file}.`);
  const views: TensorView[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name !== '__metadata__') views.push(parseEntry(file, name, entry, dataStart, fileBytes));
  }
  return views;
}

function parseEntry(file: string, name: string, entry: unknown, dataStart: number, fileBytes: number): TensorView {
  const { dtype, shape, data_offsets: range } = (entry ?? {}) as Record<string, unknown>;
  const fail = (what: string) => new SafetensorsError(`Tensor ${name} of ${file}: ${what}.`);
  if (typeof dtype !== 'string' || !Object.hasOwn(elementBytes, dtype)) throw fail(`expected a dtype of ${Object.keys(elementBytes).join(', ')}, got ${JSON.stringify(dtype)}`);
  if (!isNaturals(shape)) throw fail(`expected a shape of whole numbers, got ${JSON.stringify(shape)}`);
  if (!isNaturals(range) || range.length !== 2) throw fail(`expected two data_offsets, got ${JSON.stringify(range)}`);
  const [begin = 0, end = 0] = range;
  const type = dtype as ElementType; // hasOwn above
  const byteLength = shape.reduce((product, size) => product * size, elementBytes[type]);
  if (end - begin !== byteLength || dataStart + end > fileBytes) throw fail(`expected ${byteLength} bytes inside the file, got the range ${begin} to ${end} of ${fileBytes - dataStart}`);
  return { name, type, shape, file, offset: dataStart + begin, byteLength };
}

function isNaturals(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}
