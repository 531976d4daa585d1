import type { DType, Initializer } from './graph.ts';
import type { TensorProto } from './proto/onnx-ml_pb.js';
import { dtypeOfCode } from './types.ts';

/** Thrown for ONNX files that cannot be run. */
export class OnnxGraphError extends Error {}

const externalLocation = 1; // TensorProto.DataLocation.EXTERNAL

/**
 * A constant with its numbers as little-endian bytes, whichever field of TensorProto they stand in.
 * @throws OnnxGraphError
 */
export function toInitializer(tensor: TensorProto): Initializer {
  const fail = (what: string) => new OnnxGraphError(`Constant ${JSON.stringify(tensor.name)}: ${what}.`);
  const dtype = dtypeOfCode(tensor.dataType);
  if (dtype === undefined) throw fail(`expected numbers of 8 bits or more, got the data type ${tensor.dataType}`);
  // Initialisers with data files were taken out before; in a constant inside the graph a path would be unchecked.
  if (tensor.dataLocation === externalLocation) throw fail('expected its numbers in the model, got a data file');
  const shape = tensor.dims.map(Number);
  const bytes = bytesOf(tensor, dtype);
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes.length !== count * layouts[dtype].BYTES_PER_ELEMENT)
    throw fail(`expected ${count} numbers of ${dtype} for the shape [${shape.join(', ')}], got ${bytes.length} bytes`);
  return { name: tensor.name, dtype, shape, data: { kind: 'inline', bytes } };
}

/** 16-bit floats stand in `int32_data` as their bits. */
const layouts = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint64: BigUint64Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const satisfies Readonly<Record<DType, unknown>>;

function bytesOf(tensor: TensorProto, dtype: DType): Uint8Array {
  if (tensor.rawData.length > 0) return tensor.rawData;
  switch (dtype) {
    case 'int64':
      return toBytes(BigInt64Array.from(tensor.int64Data));
    case 'uint64':
      return toBytes(BigUint64Array.from(tensor.uint64Data));
    case 'uint32':
      return toBytes(Uint32Array.from(tensor.uint64Data, Number));
    case 'float64':
      return toBytes(Float64Array.from(tensor.doubleData));
    case 'float32':
      return toBytes(Float32Array.from(tensor.floatData));
    case 'float16':
    case 'bfloat16':
    case 'int32':
    case 'int16':
    case 'int8':
    case 'uint16':
    case 'uint8':
    case 'bool':
      return toBytes(layouts[dtype].from(tensor.int32Data));
    default:
      return dtype satisfies never;
  }
}

function toBytes(numbers: { readonly buffer: ArrayBufferLike }): Uint8Array {
  return new Uint8Array(numbers.buffer);
}
