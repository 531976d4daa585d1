import type { ElementType } from '../store/safetensors.ts';
import type { DType } from './graph.ts';

/** ONNX's TensorProto.DataType numbers. */
export const typeCodes: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};

/**
 * The number formats of checkpoints that are weights as they stand, by the graph's names. Integers are not among
 * them: those of a quantised checkpoint mean nothing without their scales.
 */
export const weightDTypes: Readonly<Partial<Record<ElementType, DType>>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F64: 'float64',
};

/** Every format of a file that the graph has too; the 8-bit floats are missing. */
export const elementDTypes: Readonly<Partial<Record<ElementType, DType>>> = {
  ...weightDTypes,
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U64: 'uint64',
  U32: 'uint32',
  U16: 'uint16',
  U8: 'uint8',
  BOOL: 'bool',
};

export function dtypeOfCode(code: number): DType | undefined {
  return (Object.keys(typeCodes) as DType[]).find((dtype) => typeCodes[dtype] === code); // its keys are these
}
