/**
 * Weights in 8 bits for the operator MatMulNBits: blocks along a row, each with a scale, `w ≈ scale * (code - 128)`.
 * Format: ContribOperators.md of ONNX Runtime, com.microsoft.MatMulNBits, without zero points.
 */

import type { BlockLayout, BlockRows } from './four-bit-blocks.ts';
import { quantizeRows } from './int8.ts';

/** Elements that one row takes in each buffer. */
export function eightBitRowSizes({ columns, blockSize }: BlockLayout): Readonly<Record<keyof BlockRows, number>> {
  const blocks = Math.ceil(columns / blockSize);
  return { packed: blocks * blockSize, scales: blocks, zeroPoints: 0 };
}

/**
 * Quantises the rows `weights: [rows, columns]`. packed: `[row][block][blockSize]`, scales: `[row][block]`
 * @throws RangeError for a number that is not finite
 */
export function quantizeToEightBits(
  weights: Float32Array,
  { columns, blockSize }: BlockLayout,
  { packed, scales }: Pick<BlockRows, 'packed' | 'scales'>,
): void {
  const width = Math.ceil(columns / blockSize) * blockSize;
  const padded = width === columns ? weights : padRows(weights, columns, width);
  quantizeRows(padded, blockSize, { codes: new Int8Array(packed.buffer, packed.byteOffset, packed.length), scales });
  for (let i = 0; i < packed.length; i++) packed[i]! ^= 0x80; // a signed code and 128
}

/** Rows with zeros after them. */
function padRows(weights: Float32Array, columns: number, width: number): Float32Array {
  const rows = weights.length / columns;
  const padded = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) padded.set(weights.subarray(row * columns, (row + 1) * columns), row * width);
  return padded;
}
