import { FileCursor, FileReader, quote, WeightFileError } from './file-reader.ts';
import { type PickleValue, readPickle } from './pickle.ts';
import { elementBytes, type TensorView } from './safetensors.ts';
import { stateDictRules, type Storage, type StoredTensor, tensorsOf } from './state-dict.ts';
import { isZip, readZip, type ZipEntry } from './zip.ts';

/**
 * The tensors of a PyTorch checkpoint (`pytorch_model.bin`) as byte ranges of it. Its pickle is read as inert data and
 * nothing is executed. Both formats: the zip archive since PyTorch 1.6, and the sequence of pickles before it.
 * @throws WeightFileError
 */
export function readTorchFile(path: string): readonly TensorView[] {
  const reader = new FileReader(path);
  try {
    return isZip(reader) ? readArchive(reader) : readSequence(reader);
  } finally {
    reader.close();
  }
}

/** `<archive>/data.pkl` describes the tensors, `<archive>/data/<key>` holds the numbers of a storage. */
function readArchive(reader: FileReader): readonly TensorView[] {
  const entries = readZip(reader);
  const pickles = [...entries.keys()].filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  const [name] = pickles;
  if (name === undefined || pickles.length > 1)
    throw failure(reader)(`expected one data.pkl in the archive, got ${pickles.length}`);
  const folder = name.slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`)) throw failure(reader)('expected a state dict, got a TorchScript program');
  const order = entries.get(`${folder}byteorder`);
  if (order !== undefined) checkByteOrder(reader, order);
  const { tensors } = readState(reader, cursorOver(reader, entries.get(name)!)); // a name of the list
  return toViews(reader, tensors, (key) => entries.get(`${folder}data/${key}`));
}

function checkByteOrder(reader: FileReader, { offset, byteLength }: ZipEntry): void {
  const order = reader.read(offset, Math.min(byteLength, 16)).toString('latin1');
  if (order !== 'little') throw failure(reader)(`expected little-endian numbers, got the byte order ${quote(order)}`);
}

function cursorOver(reader: FileReader, { offset, byteLength }: ZipEntry): FileCursor {
  return new FileCursor(reader, { start: offset, end: offset + byteLength });
}

interface State {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Every storage by key, those of values that are no model included. */
  readonly storages: ReadonlyMap<string, Storage>;
}

function readState(reader: FileReader, cursor: FileCursor): State {
  const fail = failure(reader);
  const storages = new Map<string, Storage>();
  const value = readPickle(
    cursor,
    stateDictRules(fail, (storage) => void storages.set(storage.key, storage)),
  );
  return { tensors: tensorsOf(value, fail), storages };
}

const magic = 0x1950a86a20f9469cfc6cn;
const protocolVersion = 1001;

/** Pickles of magic number, protocol, machine, state dict and storage keys; then a length and the numbers of each key. */
function readSequence(reader: FileReader): readonly TensorView[] {
  const fail = failure(reader);
  const cursor = new FileCursor(reader, { start: 0, end: reader.sizeBytes });
  if (reader.sizeBytes < 2 || reader.read(0, 1)[0] !== 0x80 || readPlain(reader, cursor) !== magic)
    throw fail('expected a zip archive or a pickle with the magic number of PyTorch. It may be a Git LFS pointer');
  const version = readPlain(reader, cursor);
  if (version !== protocolVersion) throw fail(`expected the protocol ${protocolVersion}, got ${describe(version)}`);
  const machine = readPlain(reader, cursor);
  if (!(machine instanceof Map) || machine.get('little_endian') !== true) throw fail('expected little-endian numbers');
  const { tensors, storages } = readState(reader, cursor);
  const keys = readPlain(reader, cursor);
  if (!Array.isArray(keys)) throw fail('expected the list of storages behind the state dict');
  return toViews(reader, tensors, rangesBehind(cursor, keys as readonly PickleValue[], storages));
}

function rangesBehind(
  cursor: FileCursor,
  keys: readonly PickleValue[],
  storages: ReadonlyMap<string, Storage>,
): (key: string) => ZipEntry | undefined {
  const ranges = new Map<string, ZipEntry>();
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined)
      throw failure(cursor.reader)(`expected the storages of the state dict, got one more, ${describe(key)}`);
    const byteLength = Number(cursor.take(8).readBigUInt64LE()) * elementBytes[storage.type];
    ranges.set(storage.key, { offset: cursor.position, byteLength });
    cursor.skip(byteLength);
  }
  return (key) => ranges.get(key);
}

/** A pickle without tensors. */
function readPlain(reader: FileReader, cursor: FileCursor): PickleValue {
  return readPickle(cursor, stateDictRules(failure(reader)));
}

function toViews(
  reader: FileReader,
  tensors: ReadonlyMap<string, StoredTensor>,
  rangeOf: (key: string) => ZipEntry | undefined,
): readonly TensorView[] {
  return [...tensors].map(([name, tensor]) => {
    const { storage } = tensor;
    const fail = (what: string) => new WeightFileError(`Tensor ${quote(name)} of ${reader.path}: ${what}.`);
    const range = rangeOf(storage.key);
    if (range === undefined) throw fail(`expected its storage ${quote(storage.key)} in the file, which has none`);
    const size = elementBytes[storage.type];
    if ((storage.start + storage.length) * size > range.byteLength)
      throw fail(`expected ${storage.length} numbers of ${storage.type} in its storage of ${range.byteLength} bytes`);
    const axes = axesInFile(tensor);
    if (axes === undefined)
      throw fail(
        `expected numbers that follow each other in some order of the axes, got the shape ${quote(tensor.shape)} with the strides ${quote(tensor.strides)}; save the model again with .contiguous() tensors`,
      );
    const count = tensor.shape.includes(0) ? 0 : tensor.shape.reduce((product, length) => product * length, 1);
    if (tensor.offset + count > storage.length)
      throw fail(`expected ${count} numbers from ${tensor.offset} in a storage of ${storage.length}`);
    const isInOrder = axes.every((axis, place) => axis === place);
    return {
      name,
      type: storage.type,
      shape: tensor.shape,
      file: reader.file,
      offset: range.offset + (storage.start + tensor.offset) * size,
      byteLength: count * size,
      ...(isInOrder ? {} : { axesInFile: axes }),
    };
  });
}

/** The axes from the slowest to the fastest in the file, where the numbers lie without gaps in such an order. */
function axesInFile({ shape, strides }: StoredTensor): readonly number[] | undefined {
  const inOrder = shape.map((_, axis) => axis);
  if (shape.includes(0)) return inOrder;
  // The stride of an axis of length 1 says nothing: it stays where it is.
  const long = inOrder.filter((axis) => shape[axis] !== 1).toSorted((a, b) => strides[b]! - strides[a]! || a - b);
  let expected = 1;
  for (const axis of long.toReversed()) {
    if (strides[axis] !== expected) return undefined;
    expected *= shape[axis]!; // an axis of the shape
  }
  const places = long.values();
  return inOrder.map((axis) => (shape[axis] === 1 ? axis : places.next().value!)); // as many as long axes
}

function failure(reader: FileReader): (what: string) => WeightFileError {
  return (what) => new WeightFileError(`${reader.path} cannot be used: ${what}.`);
}

function describe(value: PickleValue): string {
  return typeof value === 'object' && value !== null ? 'an object' : quote(String(value));
}
