import type { LRUCache } from 'lru-cache';
import { ServiceError } from '../errors.ts';
import { keyOf, type Sequence } from '../scheduler/entry.ts';
import type { Origin } from '../request/origin.ts';
import type { Vectors } from '../vectors/vectors.ts';

/** Vectors of sequences, in their order, at full dimensions. */
export type EmbedSequences = (
  sequences: readonly Sequence[],
  signal?: AbortSignal,
  origin?: Origin,
) => Promise<Vectors>;

export interface CachedEmbedOptions {
  readonly cache: LRUCache<string, Float32Array>;
  /** Everything but the tokens that a vector depends on: one text for each way of computing, and for no other. */
  readonly source: string;
  readonly embed: EmbedSequences;
  readonly onLookUp: (found: { readonly hits: number; readonly misses: number }) => void;
}

/** Computes only what the cache does not hold. */
export function createCachedEmbed({ cache, source, embed, onLookUp }: CachedEmbedOptions): EmbedSequences {
  return async (sequences, signal, origin) => {
    const keys = sequences.map((sequence) => `${source}\n${keyOf(sequence)}`);
    const found = keys.map((key) => cache.get(key));
    const rows = [...sequences.keys()].filter((row) => found[row] === undefined);
    const missing = rows.map((row) => sequences[row]!);
    const hits = sequences.length - missing.length;
    onLookUp({ hits, misses: missing.length });
    if (origin?.timeline !== undefined) origin.timeline.cached = hits;
    const computed = missing.length === 0 ? undefined : await renumber(rows, () => embed(missing, signal, origin));
    const dim = computed?.dim ?? found.find((vector) => vector !== undefined)?.length ?? 0;
    const data = new Float32Array(sequences.length * dim);
    let next = 0;
    for (const [row, key] of keys.entries()) {
      const vector = found[row] ?? rowOf(computed!, next++).slice(); // what was not found was computed
      if (found[row] === undefined) cache.set(key, vector);
      data.set(vector, row * dim);
    }
    return { data, rows: sequences.length, dim };
  };
}

/** An error that names one of the inputs computed names it as the request counts it. */
async function renumber<T>(rows: readonly number[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const index = /^input\[(\d+)\]$/.exec(error.details.param ?? '')?.[1];
    if (index === undefined) throw error;
    throw new ServiceError(error.code, { ...error.details, param: `input[${rows[Number(index)]}]` }, { cause: error });
  }
}

function rowOf({ data, dim }: Vectors, row: number): Float32Array {
  return data.subarray(row * dim, (row + 1) * dim);
}
