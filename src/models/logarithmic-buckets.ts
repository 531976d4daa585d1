export interface BucketRange {
  /** Distances between tokens go from `1 - positions` to `positions - 1`. */
  readonly positions: number;
  /** Buckets on each side. */
  readonly span: number;
  /** Distance at which logarithmic buckets end; undefined where every distance has its own. */
  readonly logarithmicTo: number | undefined;
}

/**
 * The bucket of each distance `query - key`, the least distance first, as DeBERTa-v2 (He et al. 2020) shares them out:
 * one a distance up to half of the span, then ever wider ones; those further away are in the outermost.
 */
export function logarithmicBuckets({ positions, span, logarithmicTo }: BucketRange): readonly number[] {
  return Array.from({ length: 2 * positions - 1 }, (_, index) => {
    const distance = index - (positions - 1);
    const bucket = logarithmicTo === undefined ? distance : logarithmicBucket(distance, span, logarithmicTo);
    return Math.min(2 * span - 1, Math.max(0, bucket + span));
  });
}

/** Rounded as float32 does, because the borders depend on it. */
function logarithmicBucket(distance: number, span: number, limit: number): number {
  const exact = Math.floor(span / 2);
  const length = Math.abs(distance);
  if (length <= exact) return distance;
  const f = Math.fround;
  const ratio = f(f(Math.log(f(length / exact))) / f(Math.log(f((limit - 1) / exact))));
  return Math.sign(distance) * (Math.ceil(f(ratio * (exact - 1))) + exact);
}
