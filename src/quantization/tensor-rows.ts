import { FileReader, WeightFileError } from '../store/file-reader.ts';
import { elementBytes, type TensorView } from '../store/safetensors.ts';
import { isFloatType, widen } from './numbers.ts';

const chunkBytes = 1 << 20;

/** Some rows of a tensor as float32. */
export interface Rows {
  /** Number of the first. */
  readonly first: number;
  /** Overwritten by the next. */
  readonly values: Float32Array;
}

/** Reads tensors of checkpoint files front to back, a few rows at a time: no tensor is in memory as a whole. */
export class TensorRows {
  readonly #readers = new Map<string, FileReader>();

  /** view: `[rows, size]`, or one row `[size]`. @throws WeightFileError */
  *readRows(view: TensorView): Generator<Rows> {
    const { type, shape } = view;
    if (!isFloatType(type)) throw new WeightFileError(`Expected the tensor ${view.name} in floats, got ${type}.`);
    const size = shape.at(-1) ?? 1;
    const rowBytes = size * elementBytes[type];
    const rows = Math.max(1, Math.floor(chunkBytes / rowBytes));
    const values = new Float32Array(rows * size);
    let first = 0;
    for (const bytes of this.readBytes(view, rows * rowBytes)) {
      const count = bytes.length / rowBytes;
      const part = values.subarray(0, count * size);
      widen(bytes, type, part);
      yield { first, values: part };
      first += count;
    }
  }

  /** The numbers of a small tensor. @throws WeightFileError */
  readAll(view: TensorView): Float32Array {
    const all = new Float32Array(view.shape.reduce((product, size) => product * size, 1));
    const size = view.shape.at(-1) ?? 1;
    for (const { first, values } of this.readRows(view)) all.set(values, first * size);
    return all;
  }

  /** @throws WeightFileError */
  *readBytes({ file, offset, byteLength }: TensorView, stepBytes = chunkBytes): Generator<Uint8Array> {
    const reader = this.#open(file);
    for (let at = 0; at < byteLength; at += stepBytes)
      yield reader.read(offset + at, Math.min(stepBytes, byteLength - at));
  }

  close(): void {
    for (const reader of this.#readers.values()) reader.close();
    this.#readers.clear();
  }

  #open(file: string): FileReader {
    const known = this.#readers.get(file);
    if (known !== undefined) return known;
    const reader = new FileReader(file);
    this.#readers.set(file, reader);
    return reader;
  }
}
