import { toBatches, toBody } from '../context.ts';
import { decodeVectors, embedOnce } from '../http-client.ts';
import { compareVectors } from '../stats.ts';
import type { PeerServer } from './peer.ts';

export interface CheckOptions {
  readonly server: PeerServer;
  readonly model: string;
  readonly texts: readonly string[];
  readonly reference: Float32Array;
}

export interface Checked {
  /** How many texts of a bulk request the server takes. */
  readonly textsPerRequest: number;
  readonly meanCosine: number;
  readonly minCosine: number;
}

const bulkTexts = 64;
const cappedTexts = 32; // what servers with a lower cap take
const leastMeanCosine = 0.95; // below it is another pooling or another model, not another rounding

/** Compares the vectors of all texts; throws where they are not those of this model. */
export async function checkVectors({ server: { url }, model, texts, reference }: CheckOptions): Promise<Checked> {
  const first = await embedOnce({ url, body: toBody(model, texts.slice(0, bulkTexts)) });
  const textsPerRequest = first.status === 200 ? bulkTexts : cappedTexts;
  const parts: Float32Array[] = [];
  for (const batch of toBatches(texts, textsPerRequest)) {
    const vectors = decodeVectors(await embedOnce({ url, body: toBody(model, batch) }));
    if (vectors.length !== (batch.length * reference.length) / texts.length)
      throw new Error(`wrong vectors: ${batch.length} texts gave ${vectors.length} numbers`);
    parts.push(vectors);
  }
  const a = new Float32Array(reference.length);
  let offset = 0;
  for (const part of parts) {
    a.set(part, offset);
    offset += part.length;
  }
  const { meanCosine, minCosine } = compareVectors({ a, b: reference, dim: reference.length / texts.length });
  if (!(meanCosine >= leastMeanCosine))
    throw new Error(`wrong vectors: mean cosine ${meanCosine.toFixed(4)}, lowest ${minCosine.toFixed(4)}`);
  return { textsPerRequest, meanCosine, minCosine };
}
