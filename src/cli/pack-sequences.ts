import type { Session } from '../engine/session.ts';
import type { Encoded } from '../tokenizer/encoded.ts';

type Batch = Parameters<Session['embed']>[0];

/** One batch of the sequences, one after another. */
export function packSequences(sequences: readonly Encoded[]): Batch {
  const offsets = new Int32Array(sequences.length + 1);
  for (const [row, { ids }] of sequences.entries()) offsets[row + 1] = offsets[row]! + ids.length;
  const ids = new Int32Array(offsets[sequences.length]!);
  for (const [row, sequence] of sequences.entries()) ids.set(sequence.ids, offsets[row]!);
  const skips = Int32Array.from(sequences, ({ skip = 0 }) => skip);
  return { ids, offsets, ...(skips.some((skip) => skip > 0) && { skips }) };
}
