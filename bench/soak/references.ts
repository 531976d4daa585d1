import { decodeVectors } from '../http-client.ts';
import type { Reply, Target } from './target.ts';
import { post } from './target.ts';

/** An input and the vector that the quiet server gave for it alone. */
export interface Reference {
  readonly input: string | readonly number[];
  readonly vector: Float32Array;
}

const tokensPerInput = 40;

/** Asks for every input once, by itself, before anything goes wrong. */
export async function readReferences(target: Target, texts: readonly string[]): Promise<readonly Reference[]> {
  const inputs = [...texts, ...texts.slice(0, texts.length >> 2).map((_, seed) => tokensOf(seed))];
  const references: Reference[] = [];
  for (const input of inputs) {
    const body = JSON.stringify({ model: target.model, input, encoding_format: 'base64' });
    references.push({ input, vector: vectorsOf(await post(target, body, AbortSignal.timeout(60_000))) });
  }
  return references;
}

/** Ids that a vocabulary of 30,000 has, different from seed to seed. */
function tokensOf(seed: number): readonly number[] {
  const ids = Array.from({ length: tokensPerInput }, (_, at) => 2000 + ((seed * 7919 + at * 31) % 25_000));
  return [101, ...ids, 102];
}

export function vectorsOf({ status, body }: Reply): Float32Array {
  return decodeVectors({ status, body: Buffer.from(body), milliseconds: 0 });
}

/** The largest difference of any component; NaN where a vector has none. */
export function farthest(vectors: Float32Array, references: readonly Reference[]): number {
  const dim = references[0]?.vector.length ?? 0;
  if (vectors.length !== dim * references.length) return Number.NaN;
  let most = 0;
  references.forEach(({ vector }, row) => {
    for (let i = 0; i < dim; i++) {
      const difference = Math.abs(vectors[row * dim + i]! - vector[i]!);
      if (!(difference <= most)) most = difference; // NaN too
    }
  });
  return most;
}
