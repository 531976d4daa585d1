import type { PositionRule } from '../graph/packed-inputs.ts';
import type { Batch } from '../scheduler/batch.ts';

/** The arrays behind `PackedInputs` of graph/packed-inputs.ts, under the same names. */
export interface Feeds {
  readonly input_ids: Int32Array;
  readonly position_ids: Int32Array;
  readonly lengths: Int32Array;
  /** `[batch][longest]` */
  readonly pad_index: Int32Array;
  readonly unpad_index: Int32Array;
  readonly equal_lengths: Uint8Array;
  readonly view_shape: BigInt64Array;
  readonly pooling_skips: Int32Array;
  readonly batch: number;
  readonly longest: number;
}

/** Lays a batch out for the graph. */
export function toFeeds({ ids, offsets, skips }: Batch, positions: PositionRule): Feeds {
  const batch = offsets.length - 1;
  const lengths = new Int32Array(batch);
  let longest = 0;
  let shortest = Infinity;
  for (let row = 0; row < batch; row++) {
    const length = offsets[row + 1]! - offsets[row]!;
    lengths[row] = length;
    longest = Math.max(longest, length);
    shortest = Math.min(shortest, length);
  }
  const position_ids = new Int32Array(ids.length);
  const unpad_index = new Int32Array(ids.length);
  const pad_index = new Int32Array(batch * longest);
  for (let row = 0; row < batch; row++) {
    const start = offsets[row]!;
    const last = lengths[row]! - 1;
    let position = positions.first;
    for (let column = 0; column < longest; column++) {
      const place = row * longest + column;
      pad_index[place] = start + Math.min(column, last);
      if (column > last) continue;
      const isCounted = ids[start + column] !== positions.paddingId;
      position_ids[start + column] = isCounted ? position++ : positions.first - 1;
      unpad_index[start + column] = place;
    }
  }
  const areEqual = shortest === longest;
  const view_shape = BigInt64Array.from(areEqual ? [batch, longest, -1] : [1, ids.length, -1], BigInt);
  return {
    input_ids: ids,
    position_ids,
    lengths,
    pad_index,
    unpad_index,
    equal_lengths: Uint8Array.of(Number(areEqual)),
    view_shape,
    pooling_skips: skips ?? new Int32Array(batch),
    batch,
    longest,
  };
}
