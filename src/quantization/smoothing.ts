/**
 * How much each channel of a norm's output is divided by, and the weights that read it multiplied: `range / weight`. A
 * channel of wide range costs its row resolution, and where its weights are small there is range to spare in them; the
 * input takes over the range of the weights, and the weights that of the input. This is SmoothQuant (Xiao et al. 2022)
 * with both exponents 1, which was best on all-MiniLM-L6-v2 (docs/log.md), and with the range taken from the norm
 * itself instead of from texts: its output is `gain z + shift` with z of mean 0 and variance 1.
 *
 * gain, shift, weights: `[size]` -> factors `[size]`, of geometric mean 1
 */
export function smoothingFactors(
  gain: Float32Array,
  shift: Float32Array | undefined,
  weights: Float32Array,
): Float32Array {
  const logs = Float64Array.from(gain, (value, i) => {
    const range = Math.hypot(value, shift?.[i] ?? 0);
    return Math.log(Math.max(smallest, range)) - Math.log(Math.max(smallest, weights[i]!));
  });
  const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
  return Float32Array.from(logs, (value) => Math.exp(value - mean));
}

const smallest = 1e-3; // a channel that is switched off, or hardly read

/** Sums the squares of each column: `[rows, size]` is added to `[size]`. */
export function addSquares(values: Float32Array, sums: Float64Array): void {
  const size = sums.length;
  for (let start = 0; start < values.length; start += size)
    for (let i = 0; i < size; i++) sums[i]! += values[start + i]! ** 2;
}

/**
 * How large the columns of several weights are: the smallest of each column's root mean square in any weight, over that
 * of the whole weight. The smallest, because what one layer hardly reads, and another much, would stay wide for the one:
 * values read a channel of MiniLM little that queries and keys read much. squares: each `[size]` -> `[size]`
 */
export function relativeColumns(squares: readonly Float64Array[]): Float32Array {
  const relative = squares.map((sums) => {
    const mean = sums.reduce((sum, value) => sum + value, 0) / sums.length;
    return sums.map((sum) => Math.sqrt(sum / Math.max(mean, Number.MIN_VALUE)));
  });
  return Float32Array.from(relative[0] ?? [], (_, i) => Math.min(...relative.map((column) => column[i]!)));
}
