export interface Sample {
  readonly seconds: number;
  readonly value: number;
}

/** Growth per hour by Theil and Sen: the median slope of all pairs, which single jumps do not move. NaN below two samples. */
export function slopePerHour(samples: readonly Sample[]): number {
  const slopes = samples.flatMap((late, index) =>
    samples
      .slice(0, index)
      .filter((early) => early.seconds < late.seconds)
      .map((early) => ((late.value - early.value) / (late.seconds - early.seconds)) * 3600),
  );
  if (slopes.length === 0) return Number.NaN;
  slopes.sort((a, b) => a - b);
  const half = slopes.length >> 1;
  return slopes.length % 2 === 1 ? slopes[half]! : (slopes[half - 1]! + slopes[half]!) / 2;
}
