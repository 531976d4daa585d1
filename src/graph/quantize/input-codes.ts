import { int } from '../graph.ts';
import type { Constants, Linear } from './linears.ts';
import type { NodeList } from './node-list.ts';

/** What the rows of an input have become; names of values. */
export interface Codes {
  /** `[tokens, size]` uint8, which stand for `(code - zeroPoint) * scale`. With int8 ONNX Runtime 1.30 has no fast kernel (docs/log.md). */
  readonly codes: string;
  /** `[tokens, 1]` float32 */
  readonly scale: string;
  readonly zeroPoint: number;
}

export interface InputOptions {
  readonly constants: Constants;
  /** What the columns are multiplied by first, `[size]`. */
  readonly inverse?: string | undefined;
}

/** Activations that hardly go below zero: how far they do. */
const lowest: Readonly<Record<string, number>> = { Gelu: 0.1701, FastGelu: 0.1701, Relu: 0 };
const codesBelowZero = 20; // of 255, for what an activation gives below zero
const middle = 128;

/**
 * Quantises each row by itself: the scale is its largest magnitude over 127, or, after an activation, its largest number
 * over the codes above the zero point. A row of zeros has the scale 0, and zeros come of it whatever its codes are.
 *
 * ReduceMax and QuantizeLinear pass over NaN. Weights are finite (`quantization/derive.ts`), so NaN comes only of numbers
 * beyond float32. Attention makes it of infinite scores: there the mean, which is NaN, goes into the scale. A norm makes it
 * of a row that the residual path carries on, and an activation after numbers that were infinite before, as the scale is.
 */
export function quantizeInput(list: NodeList, { node: at, input }: Linear, options: InputOptions): Codes {
  const { constants, inverse } = options;
  const x = inverse === undefined ? input : list.add(at, 'Mul', [input, list.derived(inverse, 'float32', [])]);
  const reduce = (op: string, value: string) =>
    list.add(at, op, [value, list.int64(-1)], { attributes: { keepdims: int(1) } });
  const least = lowest[constants.producer(input)?.op ?? ''];
  const zeroPoint = least === undefined ? middle : least === 0 ? 0 : codesBelowZero;
  const magnitude = least === undefined ? list.add(at, 'Abs', [x]) : x;
  const maximum = reduce('ReduceMax', magnitude);
  const isChecked = least === undefined && constants.normOf(input) === undefined;
  const largest = isChecked ? list.add(at, 'Max', [maximum, reduce('ReduceMean', x)]) : maximum;
  const codesAbove = least === undefined ? 127 : 255 - zeroPoint;
  const spread = list.add(at, 'Mul', [largest, list.float(1 / codesAbove)]);
  const scale =
    zeroPoint === codesBelowZero ? list.add(at, 'Max', [spread, list.float((least ?? 0) / codesBelowZero)]) : spread;
  const scales = list.add(at, 'Reshape', [scale, list.int64(-1)]);
  const codes = list.add(at, 'QuantizeLinear', [x, scales, list.perToken(zeroPoint)], {
    attributes: { axis: int(0) },
    dtype: 'uint8',
  });
  return { codes, scale, zeroPoint };
}
