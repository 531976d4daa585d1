import type { Context } from '../context.ts';
import type { Peer } from './peer.ts';
import { toPeerServer } from './start-peer.ts';

/** Our server with the official float32 weights, which the peers have too, and other settings. */
export function createOurs(context: Context, name: string, env: Readonly<Record<string, string>>): Peer {
  return {
    name,
    model: context.model,
    start: async () => {
      const { modelsDir } = context.python();
      return toPeerServer(await context.startOurServer({ EMBEDDINGS_MODELS_DIR: modelsDir, ...env }));
    },
  };
}
