import type { EmbedderOptions } from './embedder.ts';
import { openEmbedder } from './embedder.ts';
import { maxAbsDifference } from './vector-distance.ts';

export interface TrialRun {
  readonly loadMs: number;
  /** The first run of a graph takes memory that later ones have. */
  readonly firstMs: number;
  readonly secondMs: number;
  readonly tokens: number;
  readonly dimensions: number;
  readonly isFinite: boolean;
  /** Length of the vector; 1 for unit vectors. */
  readonly norm: number;
  /** Largest difference of any number between the vector computed alone and in a batch with longer and shorter texts. */
  readonly aloneToBatch: number;
}

/** Loads the graph and embeds `ids` alone, again, and in a batch beside a shorter and a longer sequence. */
export async function tryRun(ids: Int32Array, maxTokens: number, options: EmbedderOptions): Promise<TrialRun> {
  const startMs = performance.now();
  const embedder = await openEmbedder(options);
  try {
    const loadedMs = performance.now();
    const [vector = new Float32Array()] = await embedder.embed([{ ids }]);
    const firstMs = performance.now();
    await embedder.embed([{ ids }]);
    const secondMs = performance.now();
    const longer = Int32Array.from({ length: Math.min(ids.length + 7, maxTokens) }, (_, at) => ids[at % ids.length]!);
    const batch = await embedder.embed([{ ids: ids.slice(0, Math.ceil(ids.length / 2)) }, { ids }, { ids: longer }]);
    return {
      loadMs: loadedMs - startMs,
      firstMs: firstMs - loadedMs,
      secondMs: secondMs - firstMs,
      tokens: ids.length,
      dimensions: vector.length,
      isFinite: vector.every((value) => Number.isFinite(value)),
      norm: Math.hypot(...vector),
      aloneToBatch: maxAbsDifference(vector, batch[1] ?? new Float32Array()),
    };
  } finally {
    await embedder.close();
  }
}
