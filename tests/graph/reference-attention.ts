import { tempFolder } from './temp-folder.ts';
import { type Output, runOverRows } from './run-graph.ts';
import type { GraphBuilder, Value } from '../../src/graph/builder.ts';
import type { QueryKeyValue } from '../../src/graph/layers/heads.ts';
import type { PackedInputs } from '../../src/graph/packed-inputs.ts';

export interface ReferenceOptions {
  readonly heads: number;
  readonly keyHeads: number;
  readonly size: number;
  readonly scale?: number;
  readonly softcap?: number;
  readonly isSeen?: (query: number, key: number) => boolean;
  readonly bias?: (head: number, query: number, key: number) => number;
}

/** Columns of a row: queries of every head, then keys, then values. */
export function rowWidth({ heads, keyHeads, size }: ReferenceOptions): number {
  return (heads + 2 * keyHeads) * size;
}

export function randomRows(count: number, width: number): readonly (readonly number[])[] {
  let seed = 7;
  const next = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647 - 0.5;
  return Array.from({ length: count }, () => Array.from({ length: width }, () => 4 * next()));
}

/** Runs `attend` over sequences of rows of a table, cut into q, k and v. */
export async function runAttention(
  table: readonly (readonly number[])[],
  ids: readonly (readonly number[])[],
  { heads, keyHeads, size }: ReferenceOptions,
  attend: (g: GraphBuilder, qkv: QueryKeyValue, inputs: PackedInputs) => Value,
): Promise<Output> {
  const ends = [heads * size, (heads + keyHeads) * size, (heads + 2 * keyHeads) * size];
  return runOverRows(tempFolder(), table, ids, (g, x, inputs) => {
    const columns = (from: number, to: number) => g.op('Slice', [x, g.int64(from), g.int64(to), g.int64(1)]);
    const qkv = [columns(0, ends[0]!), columns(ends[0]!, ends[1]!), columns(ends[1]!, ends[2]!)] as const;
    return attend(g, qkv, inputs);
  });
}

/** Attention of one sequence in plain loops. */
export function referenceAttention(rows: readonly (readonly number[])[], options: ReferenceOptions): readonly number[] {
  const { heads, keyHeads, size, scale = size ** -0.5, softcap, isSeen = () => true, bias = () => 0 } = options;
  return rows.flatMap((row, i) =>
    Array.from({ length: heads }, (_, head) => {
      const keyHead = Math.floor((head * keyHeads) / heads);
      const keyStart = (heads + keyHead) * size;
      const valueStart = (heads + keyHeads + keyHead) * size;
      const scores = rows.map((other, j) => {
        if (!isSeen(i, j)) return -Infinity;
        let score = 0;
        for (let c = 0; c < size; c++) score += row[head * size + c]! * other[keyStart + c]!;
        score *= scale;
        return (softcap === undefined ? score : softcap * Math.tanh(score / softcap)) + bias(head, i, j);
      });
      const max = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - max));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return Array.from({ length: size }, (_, c) =>
        rows.reduce((sum, other, j) => sum + (weights[j]! / total) * other[valueStart + c]!, 0),
      );
    }).flat(),
  );
}
