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
  float64: 11,
  bfloat16: 16,
};

/**
 * The number formats of safetensors that are weights as they stand, by the graph's names. Integers are not among
 * them: those of a quantised checkpoint mean nothing without their scales.
 */
export const weightDTypes: Readonly<Partial<Record<ElementType, DType>>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};
