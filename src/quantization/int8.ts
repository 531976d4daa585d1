/*
 * Symmetric 8-bit quantisation: a number is `code * scale` with a code of -127 to 127, and the scale of a row is its
 * largest magnitude over 127. -128 is not used, so that the range has no bias.
 */

const maxCode = 127;

/**
 * Quantises rows `[rows, size]`. codes: `[rows, size]`, scales: `[rows]`. `factors`, one for each column, multiply the
 * numbers first.
 * @throws RangeError for a number that is not finite
 */
export function quantizeRows(
  values: Float32Array,
  size: number,
  { codes, scales, factors }: { codes: Int8Array; scales: Float32Array; factors?: Float32Array | undefined },
): void {
  if (factors !== undefined) multiplyRows(values, factors);
  for (let row = 0; row < values.length / size; row++) {
    const start = row * size;
    const largest = largestMagnitude(values, start, start + size);
    if (!Number.isFinite(largest)) throw new RangeError('a number that is not finite');
    scales[row] = largest / maxCode;
    const inverse = largest === 0 ? 0 : maxCode / largest;
    // Truncation of a positive number rounds to the nearest; Math.round is ten times slower.
    for (let i = start; i < start + size; i++) codes[i] = ((values[i]! * inverse + (maxCode + 0.5)) | 0) - maxCode;
  }
}

function multiplyRows(values: Float32Array, factors: Float32Array): void {
  const size = factors.length;
  for (let start = 0; start < values.length; start += size)
    for (let i = 0; i < size; i++) values[start + i]! *= factors[i]!;
}

/** NaN where there is one. */
function largestMagnitude(values: Float32Array, start: number, end: number): number {
  let largest = 0;
  let sum = 0; // NaN is lost in comparisons and stays in sums
  for (let i = start; i < end; i++) {
    const magnitude = Math.abs(values[i]!);
    sum += magnitude;
    if (magnitude > largest) largest = magnitude;
  }
  return Number.isNaN(sum) ? NaN : largest;
}

/** Puts rows `[rows, size]` into columns `from`, `from + 1`, ... of a matrix of `width` columns: `[size, width]`. */
export function transposeInto(
  rows: Int8Array,
  size: number,
  { matrix, width, from }: { matrix: Int8Array; width: number; from: number },
): void {
  const count = rows.length / size;
  for (let column = 0; column < size; column++) {
    const target = column * width + from;
    for (let row = 0; row < count; row++) matrix[target + row] = rows[row * size + column]!;
  }
}
