/** The value that a share `p` (0 to 1) of the values does not exceed, by linear interpolation. */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) throw new Error('Expected at least one value to take a percentile of.');
  const sorted = [...values].sort((a, b) => a - b);
  const position = p * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[below + 1] ?? low;
  return low + (high - low) * (position - below);
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Lowest and highest value: with five rounds nothing finer is honest. */
export function spread(values: readonly number[]): readonly [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

/** Largest difference of any component, and smallest and mean cosine of the rows, of two `[rows][dim]` buffers. */
export function compareVectors({ a, b, dim }: { a: Float32Array; b: Float32Array; dim: number }): {
  readonly maxAbs: number;
  readonly minCosine: number;
  readonly meanCosine: number;
} {
  if (a.length !== b.length || a.length === 0 || a.length % dim !== 0) {
    throw new Error(`Expected two buffers of whole rows of ${dim}, got ${a.length} and ${b.length} numbers.`);
  }
  let maxAbs = 0;
  let minCosine = 1;
  let cosineSum = 0;
  for (let row = 0; row < a.length; row += dim) {
    let ab = 0;
    let aa = 0;
    let bb = 0;
    for (let i = row; i < row + dim; i++) {
      const x = a[i] ?? Number.NaN;
      const y = b[i] ?? Number.NaN;
      maxAbs = Math.max(maxAbs, Math.abs(x - y)); // NaN stays NaN and fails every goal
      ab += x * y;
      aa += x * x;
      bb += y * y;
    }
    const cosine = ab / Math.sqrt(aa * bb);
    minCosine = Math.min(minCosine, cosine); // NaN stays NaN here too
    cosineSum += cosine;
  }
  return { maxAbs, minCosine, meanCosine: (cosineSum * dim) / a.length };
}
