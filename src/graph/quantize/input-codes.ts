import { int } from '../graph.ts';
import type { Constants, Linear } from './linears.ts';
import type { NodeList } from './node-list.ts';

/** What the rows of an input have become; names of values. */
export interface Codes {
  /** `[rows, size]` uint8 */
  readonly codes: string;
  /** `[rows, 1]` float32: a number is `(code - zeroPoint) * scale` */
  readonly scale: string;
  readonly zeroPoint: number;
}

export interface InputOptions {
  readonly constants: Constants;
  /** What the columns are multiplied by first, `[size]`. */
  readonly inverse?: string | undefined;
}

/** The codes that lie above zero after an activation: below it goes no further than a fraction of the range. */
const positiveRanges: Readonly<Record<string, { readonly zeroPoint: number; readonly lowest: number }>> = {
  Gelu: { zeroPoint: 20, lowest: 0.17 }, // its minimum is -0.16997, the tanh form's -0.17004
  Relu: { zeroPoint: 0, lowest: 0 },
};
const smallestScale = 1e-30; // of a row of zeros

/**
 * Quantises each row by itself: the scale is its largest magnitude over 127, or its largest number over what lies above
 * the zero point.
 */
export function quantizeInput(
  list: NodeList,
  { node: at, input }: Linear,
  { constants, inverse }: InputOptions,
): Codes {
  const x = inverse === undefined ? input : list.add(at, 'Mul', [input, list.derived(inverse, 'float32', [])]);
  const positive = positiveRanges[constants.producer(input)?.op ?? ''];
  const { zeroPoint, lowest } = positive ?? { zeroPoint: 128, lowest: 0 };
  const above = positive === undefined ? 127 : 255 - zeroPoint;
  const magnitude = positive === undefined ? list.add(at, 'Abs', [x]) : x;
  const largest = list.add(at, 'ReduceMax', [magnitude, list.int64(-1)], { attributes: { keepdims: int(1) } });
  const smallest = zeroPoint === 0 ? smallestScale : Math.max(smallestScale, lowest / zeroPoint);
  const scale = list.add(at, 'Max', [list.add(at, 'Mul', [largest, list.float(1 / above)]), list.float(smallest)]);
  const rowScales = list.add(at, 'Reshape', [scale, list.int64(-1)]);
  const rows = list.add(at, 'Shape', [rowScales], { dtype: 'int64' });
  const zeroPoints = list.add(at, 'Expand', [list.uint8(zeroPoint), rows], { dtype: 'uint8' });
  const codes = list.add(at, 'QuantizeLinear', [x, rowScales, zeroPoints], {
    attributes: { axis: int(0) },
    dtype: 'uint8',
  });
  return { codes, scale, zeroPoint };
}
