/** Vectors of unit length, one buffer `[rows][dim]`. */
export interface VectorTable {
  readonly data: Float32Array;
  readonly dim: number;
}

/** Indices of the `count` rows nearest to a vector by dot product, nearest first; `except` is left out. */
export function nearest(
  { data, dim }: VectorTable,
  vector: Float32Array,
  { count, except }: { count: number; except?: number },
): number[] {
  const scores = Array.from({ length: data.length / dim }, (_, row) => {
    let dot = 0;
    for (let i = 0; i < dim; i++) dot += (data[row * dim + i] ?? Number.NaN) * (vector[i] ?? Number.NaN);
    return { row, dot };
  });
  return scores
    .filter(({ row }) => row !== except)
    .sort((a, b) => b.dot - a.dot || a.row - b.row)
    .slice(0, count)
    .map(({ row }) => row);
}

/** The mean share of each row's `count` nearest other rows that two tables of the same texts agree on. */
export function neighbourOverlap(a: VectorTable, b: VectorTable, count: number): number {
  const rows = a.data.length / a.dim;
  let shared = 0;
  for (let row = 0; row < rows; row++) {
    const [own, other] = [a, b].map((table) =>
      nearest(table, table.data.subarray(row * table.dim, (row + 1) * table.dim), { count, except: row }),
    );
    const wanted = new Set(own);
    shared += (other ?? []).filter((index) => wanted.has(index)).length;
  }
  return shared / (rows * count);
}

/** nDCG at the length of the ranking: gains of 0 or 1, discounted by the logarithm of the rank, over the best possible. */
export function ndcg(ranking: readonly number[], relevant: readonly number[]): number {
  const wanted = new Set(relevant);
  const discount = (rank: number): number => 1 / Math.log2(rank + 2);
  const gain = ranking.reduce((sum, index, rank) => sum + (wanted.has(index) ? discount(rank) : 0), 0);
  const best = ranking.slice(0, wanted.size).reduce((sum, _, rank) => sum + discount(rank), 0);
  return gain / best;
}
