/** What a debugger wants to know of a tensor at a glance. */
export interface ValueSummary {
  readonly count: number;
  /** Over the finite values; null where there are none. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly nanCount: number;
  readonly infiniteCount: number;
}

export function summarizeValues(values: readonly number[]): ValueSummary {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let nanCount = 0;
  let finiteCount = 0;
  for (const value of values) {
    if (Number.isNaN(value)) nanCount++;
    if (!Number.isFinite(value)) continue;
    finiteCount++;
    sum += value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const range = finiteCount === 0 ? { min: null, max: null, mean: null } : { min, max, mean: sum / finiteCount };
  return { count: values.length, ...range, nanCount, infiniteCount: values.length - finiteCount - nanCount };
}
