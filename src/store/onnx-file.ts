import { FileCursor, FileReader, quote, WeightFileError } from './file-reader.ts';
import { readInitializer } from './onnx-initializer.ts';
import type { TensorIndex, TensorView } from './safetensors.ts';
import { readField, toVarint, type WireField } from './wire.ts';

/** An ONNX file without its weights, and where those are. */
export interface OnnxFile {
  /** The model as protobuf; the initialisers of `tensors` are not in it. */
  readonly skeleton: Uint8Array;
  /** The large initialisers as byte ranges of the file or of the data files beside it. */
  readonly tensors: TensorIndex;
}

const graphField = 7; // of ModelProto
const initializerField = 5; // of GraphProto
const maxSkeletonBytes = 8_000_000; // nodes and small constants; a hostile one takes 1.4 GB while it is parsed

/**
 * Splits an ONNX file. It is walked field by field: numbers of weights are skipped, not read.
 * Format: onnx-ml.proto in `graph/proto`.
 * @throws WeightFileError
 */
export function readOnnxFile(path: string): OnnxFile {
  const reader = new FileReader(path);
  try {
    const split = new Splitter(reader);
    const skeleton = split.message({ start: 0, end: reader.sizeBytes }, (field) =>
      field.number === graphField ? split.message(span(field), (inner) => split.initializer(inner)) : undefined,
    );
    return { skeleton, tensors: split.tensors };
  } finally {
    reader.close();
  }
}

interface Span {
  readonly start: number;
  readonly end: number;
}

const dropped = Buffer.alloc(0);

class Splitter {
  readonly tensors = new Map<string, TensorView>();
  readonly #reader: FileReader;
  #keptBytes = 0;

  constructor(reader: FileReader) {
    this.#reader = reader;
  }

  /** Copies a message; `replace` gives the new payload of a field, `dropped` leaves it out, nothing keeps it. */
  message(where: Span, replace: (field: WireField) => Buffer | undefined): Buffer {
    const cursor = new FileCursor(this.#reader, where);
    const parts: Buffer[] = [];
    let keptFrom = where.start;
    while (cursor.position < where.end) {
      const field = readField(cursor);
      const payload = field.type === 'bytes' ? replace(field) : undefined;
      if (payload === undefined) this.#count(field);
      else {
        parts.push(this.#reader.read(keptFrom, field.start - keptFrom));
        if (payload !== dropped) parts.push(toVarint(field.number * 8 + 2), toVarint(payload.length), payload);
        keptFrom = field.end;
      }
    }
    parts.push(this.#reader.read(keptFrom, where.end - keptFrom));
    return Buffer.concat(parts);
  }

  initializer(field: WireField): Buffer | undefined {
    if (field.number !== initializerField) return undefined;
    const view = readInitializer(new FileCursor(this.#reader, span(field)));
    if (view === undefined) return undefined;
    if (this.tensors.has(view.name))
      throw new WeightFileError(`Expected the tensor ${quote(view.name)} once in ${this.#reader.path}, got it twice.`);
    this.tensors.set(view.name, view);
    return dropped;
  }

  /** Before anything is read: what is kept must fit. */
  #count({ start, end }: Span): void {
    this.#keptBytes += end - start;
    if (this.#keptBytes > maxSkeletonBytes)
      throw new WeightFileError(
        `Expected at most ${maxSkeletonBytes} bytes of ${this.#reader.path} outside its initialisers, got more. Export it with the weights as initialisers.`,
      );
  }
}

function span({ payloadStart, end }: WireField): Span {
  return { start: payloadStart, end };
}
