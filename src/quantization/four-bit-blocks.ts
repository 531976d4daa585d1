/**
 * Weights in 4 bits for the operator MatMulNBits: blocks along a row, each with a scale and a zero point,
 * `w ≈ scale * (code - zero)`. Formats: ContribOperators.md of ONNX Runtime, com.microsoft.MatMulNBits.
 */

import { type Block, emptyBlock, fitBlock, nearestCode } from './fit-block.ts';

/** How a matrix of `columns` inputs is cut into blocks. The last block of a row may be short; its place is kept. */
export interface BlockLayout {
  readonly columns: number;
  /** A power of two, 16 or more, as the operator wants. */
  readonly blockSize: number;
}

/** Room for some rows, which may be a part of a larger tensor. */
export interface BlockRows {
  /** `[row][block][blockSize / 2]`: two codes a byte, the first in the low half. */
  readonly packed: Uint8Array;
  /** `[row][block]` */
  readonly scales: Float32Array;
  /** `[row][ceil(blocks / 2)]`: two blocks a byte, the first in the low half. */
  readonly zeroPoints: Uint8Array;
}

/** Thrown for weights that no 4-bit number can stand for. */
export class QuantizationError extends Error {}

/** Elements that one row takes in each of the three buffers. */
export function fourBitRowSizes({ columns, blockSize }: BlockLayout): Readonly<Record<keyof BlockRows, number>> {
  const blocks = Math.ceil(columns / blockSize);
  return { packed: (blocks * blockSize) / 2, scales: blocks, zeroPoints: Math.ceil(blocks / 2) };
}

/**
 * Quantises the rows `weights: [rows, columns]` into `out`, which holds as many. Of each block it seeks the scale and
 * the zero point with the least `sum(importance[k] * error[k]^2)`.
 *
 * `importance: [columns]` is the expected square of each input, as far as it is known; all alike when absent.
 * @throws QuantizationError
 */
export function quantizeToFourBits(
  weights: Float32Array,
  { columns, blockSize, importance }: BlockLayout & { readonly importance?: Float32Array | undefined },
  out: BlockRows,
): void {
  const sizes = fourBitRowSizes({ columns, blockSize });
  const rows = weights.length / columns;
  for (const name of ['packed', 'scales', 'zeroPoints'] as const)
    if (out[name].length !== rows * sizes[name])
      throw new Error(`Expected room for ${rows * sizes[name]} ${name}, got ${out[name].length}. This is a bug.`);
  const costs = checkedImportance(importance ?? new Float32Array(columns).fill(1), columns);

  const block = emptyBlock(blockSize);
  out.zeroPoints.fill(0);
  for (let row = 0; row < rows; row++) {
    for (let index = 0; index < sizes.scales; index++) {
      const column = index * blockSize;
      copyBlock(weights, costs, { row, column, columns }, block);
      if (!fitBlock(block)) throw notFinite(block, row, column);
      const at = row * sizes.scales + index;
      out.scales[at] = block.scale;
      out.zeroPoints[row * sizes.zeroPoints + (index >> 1)]! |= block.zero << (4 * (index & 1)); // checked above
      writeCodes(block, out.packed, (at * blockSize) / 2);
    }
  }
}

function checkedImportance(importance: Float32Array, columns: number): Float32Array {
  if (importance.length !== columns)
    throw new Error(`Expected the importance of ${columns} columns, got ${importance.length}. This is a bug.`);
  const wrong = importance.findIndex((value) => !(value >= 0 && value < Infinity));
  if (wrong >= 0)
    throw new QuantizationError(
      `Expected the importance of a column to be a finite number, 0 or more, got ${importance[wrong]} for column ${wrong}.`,
    );
  return importance;
}

function copyBlock(
  weights: Float32Array,
  costs: Float32Array,
  { row, column, columns }: { readonly row: number; readonly column: number; readonly columns: number },
  block: Block,
): void {
  block.length = Math.min(block.values.length, columns - column);
  for (let i = 0; i < block.length; i++) {
    block.values[i] = weights[row * columns + column + i]!; // inside the row
    block.costs[i] = costs[column + i]!; // as long as a row
  }
}

/** What is past the end of a row stands for 0. */
function writeCodes({ values, length, scale, zero }: Block, packed: Uint8Array, offset: number): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  for (let i = 0; i < values.length; i += 2) {
    const low = i < length ? nearestCode(values[i]! * inverse + zero) : zero;
    const high = i + 1 < length ? nearestCode(values[i + 1]! * inverse + zero) : zero;
    packed[offset + (i >> 1)] = low | (high << 4);
  }
}

function notFinite({ values, length }: Block, row: number, column: number): QuantizationError {
  const index = values.subarray(0, length).findIndex((value) => !Number.isFinite(value));
  return new QuantizationError(
    `Expected finite weights, got ${values[index]} in row ${row} of these rows, column ${column + index}.`,
  );
}
