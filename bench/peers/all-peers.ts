import type { Context } from '../context.ts';
import { createInfinity } from './infinity.ts';
import { createLlamaCpp } from './llama-cpp.ts';
import { createOurs } from './ours.ts';
import type { Peer } from './peer.ts';
import { createSentenceTransformers } from './sentence-transformers.ts';
import { createTransformersJs } from './transformers-js.ts';

/** Every peer that the benchmark can install and start, ours first. */
export function createPeers(context: Context): readonly Peer[] {
  return [
    createOurs(context, 'ours float32', {}),
    createOurs(context, 'ours int8', { EMBEDDINGS_BITSANDBYTES: '8bit' }),
    createSentenceTransformers(context),
    createInfinity(context, 'torch'),
    createInfinity(context, 'onnx'),
    createLlamaCpp(context, 'F16'),
    createLlamaCpp(context, 'Q8_0'),
    createTransformersJs(context, 'fp32'),
    createTransformersJs(context, 'q8'),
  ];
}

/** Those whose name starts with one of a comma-separated list, in the fixed order; `all` takes every one. */
export function selectPeers<T extends Pick<Peer, 'name'>>(peers: readonly T[], list: string): readonly T[] {
  if (list === 'all') return peers;
  const wanted = list.split(',').map((name) => name.trim());
  const unknown = wanted.filter((name) => !peers.some((peer) => peer.name.startsWith(name)));
  if (unknown.length > 0)
    throw new Error(`Expected peers of ${peers.map(({ name }) => name).join(', ')}; got ${unknown.join(', ')}.`);
  return peers.filter((peer) => wanted.some((name) => peer.name.startsWith(name)));
}
