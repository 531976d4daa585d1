import type { ElementType } from '../store/safetensors.ts';
import type { DType } from './graph.ts';

/** ONNX's TensorProto.DataType numbers. */
export const typeCodes: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};

const dtypes: Readonly<Partial<Record<ElementType, DType>>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};

/** The graph's name for a number format of safetensors. @throws Error for formats no graph holds */
export function toDType(type: ElementType): DType {
  const dtype = dtypes[type];
  if (dtype === undefined) throw new Error(`Expected weights of ${Object.keys(dtypes).join(', ')}, got ${type}.`);
  return dtype;
}
