import { Session } from '../../engine/session.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Provider } from '../../graph/passes/all.ts';
import { serialize } from '../../graph/serialize.ts';
import type { Model } from '../../models/open-model.ts';
import type { Encoded } from '../../tokenizer/encoded.ts';
import { packSequences } from '../pack-sequences.ts';

export interface EmbedderOptions {
  readonly model: Model;
  readonly graph: Graph;
  readonly provider: Provider;
  readonly threads: number;
}

/** A graph loaded in this process: it blocks while it computes. */
export interface Embedder {
  /** One vector a sequence, all computed in one batch. */
  embed(sequences: readonly Encoded[]): Promise<readonly Float32Array[]>;
  close(): Promise<void>;
}

export async function openEmbedder({ model, graph, provider, threads }: EmbedderOptions): Promise<Embedder> {
  const session = await Session.load({
    model: serialize(graph),
    weightsFolder: model.weightsFolder,
    threads,
    provider,
    positions: model.shape.positions,
  });
  return {
    embed: async (sequences) => {
      const { data, dim } = await session.embed(packSequences(sequences));
      return sequences.map((_, row) => data.slice(row * dim, (row + 1) * dim));
    },
    close: () => session.close(),
  };
}
