/** Buckets of distances, as T5 (Raffel et al. 2019) shares them out. */
export interface BucketOptions {
  /** Half of them for keys ahead of the query. */
  readonly buckets: number;
  /** Tokens; everything further away is in the last bucket. */
  readonly maxDistance: number;
}

/**
 * The bucket of each distance `key - query` from `-maxDistance` to `maxDistance`: one a distance up to a quarter of the
 * buckets, then ever wider ones. Rounded as float32 does, because the borders depend on it.
 */
export function relativeBuckets({ buckets, maxDistance }: BucketOptions): readonly number[] {
  const half = buckets / 2;
  const exact = half / 2;
  const f = Math.fround;
  const bucketOf = (distance: number): number => {
    if (distance < exact) return distance;
    const ratio = f(f(Math.log(f(distance / exact))) / f(Math.log(maxDistance / exact)));
    return Math.min(half - 1, exact + Math.floor(f(ratio * (half - exact))));
  };
  return Array.from({ length: 2 * maxDistance + 1 }, (_, index) => {
    const ahead = index - maxDistance;
    return (ahead > 0 ? half : 0) + bucketOf(Math.abs(ahead));
  });
}
