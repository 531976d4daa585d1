import { join } from 'node:path';
import type { Context } from '../context.ts';
import type { Peer } from './peer.ts';
import { startPeer } from './start-peer.ts';

/** sentence-transformers behind the smallest HTTP server; it has its own sorting by length and batches of 32. */
export function createSentenceTransformers({ root, scratch, model, python }: Context): Peer {
  return {
    name: 'sentence-transformers',
    model,
    start: () => {
      const { command, modelDir } = python();
      return startPeer({
        command,
        args: (port) => [join(root, 'bench/python_service.py'), modelDir, String(port)],
        model,
        logFile: join(scratch, 'python-service.log'),
      });
    },
  };
}
