/** What a number should be; `limit` is in the unit of the number. */
export interface Goal {
  readonly kind: 'atLeast' | 'atMost';
  readonly limit: number;
}

/** NaN meets nothing. */
export function isMet({ value, goal }: { readonly value: number; readonly goal?: Goal }): boolean {
  if (goal === undefined) return true;
  return goal.kind === 'atLeast' ? value >= goal.limit : value <= goal.limit;
}
