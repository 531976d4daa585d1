/** Largest difference of any number; infinite where the lengths differ or a number is none. */
export function maxAbsDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let max = 0;
  for (let at = 0; at < a.length; at++) {
    const difference = Math.abs(a[at]! - b[at]!);
    max = Number.isNaN(difference) ? Infinity : Math.max(max, difference);
  }
  return max;
}

/** 1 for vectors of one direction; 0 where the lengths differ. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return 0;
  let [product, normA, normB] = [0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    product += a[at]! * b[at]!;
    normA += a[at]! ** 2;
    normB += b[at]! ** 2;
  }
  return product / Math.sqrt(normA * normB);
}
