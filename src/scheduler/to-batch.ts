import type { Batch } from './batch.ts';
import type { Entry, Sequence } from './entry.ts';

/** The sequences of these entries, one row each, in their order. */
export function toBatch(entries: readonly Entry[], requestIds: readonly string[]): Batch {
  const offsets = new Int32Array(entries.length + 1);
  entries.forEach((entry, row) => {
    offsets[row + 1] = offsets[row]! + entry.ids.length;
  });
  const ids = new Int32Array(offsets[entries.length]!);
  entries.forEach((entry, row) => ids.set(entry.ids, offsets[row]!));
  const batch = requestIds.length === 0 ? { ids, offsets } : { ids, offsets, requestIds };
  if (!entries.some(({ skip = 0 }) => skip > 0)) return batch;
  return { ...batch, skips: Int32Array.from(entries, ({ skip = 0 }) => skip) };
}

export function countTokens(inputs: readonly Sequence[]): number {
  return inputs.reduce((sum, { ids }) => sum + ids.length, 0);
}
