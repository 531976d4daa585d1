import type { BlockLinear, CopiedTensor, Derivation, Int8Linears, Int8Rows } from '../graph/derivation.ts';
import type { TensorView } from '../store/safetensors.ts';
import { eightBitRowSizes, quantizeToEightBits } from './eight-bit-blocks.ts';
import { fourBitRowSizes, QuantizationError, quantizeToFourBits } from './four-bit-blocks.ts';
import { quantizeRows, transposeInto } from './int8.ts';
import { isFloatType } from './numbers.ts';
import { addSquares, relativeColumns, smoothingFactors } from './smoothing.ts';
import type { TensorRows } from './tensor-rows.ts';
import { weightsOf } from './weights-of.ts';

/** Where what is made goes. */
export interface TensorSink {
  /** bytes: of the tensor `name`, from the byte `at` of it on. They may be overwritten after the call. */
  write(name: string, bytes: Uint8Array, at?: number): void;
}

/** Makes the tensors of one derivation. @throws Error naming the tensor that cannot be made */
export function derive(derivation: Derivation, source: TensorRows, sink: TensorSink): void {
  try {
    deriveOne(derivation, source, sink);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof QuantizationError)) throw error;
    throw new QuantizationError(`Weights cannot be quantised: ${error.message} in ${namesOf(derivation)}`, {
      cause: error,
    });
  }
}

function namesOf(derivation: Derivation): string {
  const norm = derivation.kind === 'int8-linears' ? derivation.smoothing?.gain : undefined;
  return [...weightsOf(derivation), ...(norm === undefined ? [] : [norm])].map(({ name }) => name).join(', ');
}

function deriveOne(derivation: Derivation, source: TensorRows, sink: TensorSink): void {
  switch (derivation.kind) {
    case 'copy':
      return copy(derivation, source, sink);
    case 'int8-rows':
      return deriveRows(derivation, source, sink);
    case 'int8-linears':
      return deriveLinears(derivation, source, sink);
    case 'block-linear':
      return deriveBlocks(derivation, source, sink);
    default:
      return derivation satisfies never;
  }
}

function copy({ from, to }: CopiedTensor, source: TensorRows, sink: TensorSink): void {
  if (isFloatType(from.type))
    for (const { values } of source.readRows(from))
      if (!values.every(Number.isFinite)) throw new RangeError('a number that is not finite');
  let at = 0;
  for (const bytes of source.readBytes(from)) {
    sink.write(to, bytes, at);
    at += bytes.length;
  }
}

function deriveRows({ from, codes, scales }: Int8Rows, source: TensorRows, sink: TensorSink): void {
  const [rows = 0, size = 0] = from.shape;
  const allScales = new Float32Array(rows);
  for (const { first, values } of source.readRows(from)) {
    const made = new Int8Array(values.length);
    quantizeRows(values, size, { codes: made, scales: allScales.subarray(first) });
    sink.write(codes, bytesOf(made), first * size);
  }
  sink.write(scales, bytesOf(allScales));
}

function deriveLinears({ linears, smoothing }: Int8Linears, source: TensorRows, sink: TensorSink): void {
  let factors: Float32Array | undefined;
  if (smoothing !== undefined) {
    const shift = smoothing.shift === undefined ? undefined : source.readAll(smoothing.shift);
    const squares = linears.map(({ from }) => columnSquares(from, source));
    factors = smoothingFactors(source.readAll(smoothing.gain), shift, relativeColumns(squares));
    sink.write(smoothing.inverse, bytesOf(factors.map((factor) => 1 / factor)));
  }
  for (const { from, codes, scales } of linears) {
    const [outputs = 0, inputs = 0] = from.shape;
    const matrix = new Int8Array(outputs * inputs);
    const allScales = new Float32Array(outputs);
    for (const { first, values } of source.readRows(from)) {
      const made = new Int8Array(values.length);
      quantizeRows(values, inputs, { codes: made, scales: allScales.subarray(first), factors });
      transposeInto(made, inputs, { matrix, width: outputs, from: first });
    }
    sink.write(codes, bytesOf(matrix));
    sink.write(scales, bytesOf(allScales));
  }
}

/** Codes, scales and zero points of some rows are written as they are made. */
function deriveBlocks(derivation: BlockLinear, source: TensorRows, sink: TensorSink): void {
  const { from, bits, blockSize } = derivation;
  const columns = from.shape[1] ?? 0;
  const sizes = (bits === 4 ? fourBitRowSizes : eightBitRowSizes)({ columns, blockSize });
  for (const { first, values } of source.readRows(from)) {
    const rows = values.length / columns;
    const made = {
      packed: new Uint8Array(rows * sizes.packed),
      scales: new Float32Array(rows * sizes.scales),
      zeroPoints: new Uint8Array(rows * sizes.zeroPoints),
    };
    (bits === 4 ? quantizeToFourBits : quantizeToEightBits)(values, { columns, blockSize }, made);
    sink.write(derivation.codes, made.packed, first * sizes.packed);
    sink.write(derivation.scales, bytesOf(made.scales), first * sizes.scales * Float32Array.BYTES_PER_ELEMENT);
    if (bits === 4) sink.write(derivation.zeroPoints, made.zeroPoints, first * sizes.zeroPoints);
  }
}

/** weight: `[outputs, size]` -> `[size]` */
function columnSquares(weight: TensorView, source: TensorRows): Float64Array {
  const sums = new Float64Array(weight.shape[1] ?? 0);
  for (const { values } of source.readRows(weight)) addSquares(values, sums);
  return sums;
}

function bytesOf({ buffer, byteOffset, byteLength }: Int8Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
