import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toBatches } from '../context.ts';
import type { Context } from '../context.ts';
import { toMessage } from '../message.ts';
import { ndcg, nearest, neighbourOverlap } from '../retrieval.ts';
import type { VectorTable } from '../retrieval.ts';
import { compareVectors } from '../stats.ts';
import { readVectors } from '../vectors.ts';

const part = 'quality';
const neighbours = 10;
const batchSize = 64;

interface Corpus {
  readonly documents: readonly string[];
  readonly queries: readonly { readonly text: string; readonly relevant: readonly number[] }[];
}

interface Tables {
  readonly texts: VectorTable;
  readonly documents: VectorTable;
  readonly queries: VectorTable;
}

/** What is measured against float32; only int8 has goals. */
const quantised: readonly { contestant: string; bits: string; goals?: Readonly<Record<string, number>> }[] = [
  { contestant: 'ours int8', bits: '8bit', goals: { mean: 0.998, lowest: 0.99, overlap: 0.97 } },
  { contestant: 'ours 4bit', bits: '4bit' },
];

/** Quantised weights against float32: cosines and neighbours of all texts, and retrieval on a small real corpus. */
export async function measureQuality(context: Context): Promise<void> {
  const { root, report } = context;
  const corpus = JSON.parse(readFileSync(join(root, 'bench/retrieval.json'), 'utf8')) as Corpus;
  const exact = await embedAll(context, corpus, {});
  const addNdcg = (contestant: string, tables: Tables): void =>
    report.add({ part, contestant, name: 'nDCG@10', unit: '', value: meanNdcg(corpus, tables) });
  addNdcg('ours float32', exact);
  for (const { contestant, bits, goals } of quantised) {
    try {
      const own = await embedAll(context, corpus, { EMBEDDINGS_BITSANDBYTES: bits });
      const { meanCosine, minCosine } = compareVectors({ a: own.texts.data, b: exact.texts.data, dim: own.texts.dim });
      const add = (name: string, value: number, limit: number | undefined): void =>
        report.add({
          part,
          contestant,
          name,
          unit: '',
          value,
          ...(limit === undefined ? {} : { goal: { kind: 'atLeast', limit } }),
        });
      addNdcg(contestant, own);
      add('cosine with float32, mean', meanCosine, goals?.['mean']);
      add('cosine with float32, lowest', minCosine, goals?.['lowest']);
      add('top-10 overlap', neighbourOverlap(exact.texts, own.texts, neighbours), goals?.['overlap']);
    } catch (error) {
      report.leaveOut({ part, contestant, reason: toMessage(error) });
    }
  }
}

function meanNdcg({ queries }: Corpus, tables: Tables): number {
  const { data, dim } = tables.queries;
  const scores = queries.map(({ relevant }, row) => {
    const vector = data.subarray(row * dim, (row + 1) * dim);
    return ndcg(nearest(tables.documents, vector, { count: neighbours }), relevant);
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

async function embedAll(context: Context, corpus: Corpus, env: Readonly<Record<string, string>>): Promise<Tables> {
  const { modelsDir } = context.python();
  const engine = await context.startOurEngine({ EMBEDDINGS_MODELS_DIR: modelsDir, ...env });
  const file = join(context.scratch, 'quality.f32');
  const embed = async (texts: readonly string[]): Promise<VectorTable> => {
    const answer = await engine.ask({ batches: toBatches(texts, batchSize), concurrency: 1, vectors: file });
    return { data: readVectors(file), dim: (answer as { dim: number }).dim };
  };
  try {
    return {
      texts: await embed(context.texts),
      documents: await embed(corpus.documents),
      queries: await embed(corpus.queries.map(({ text }) => text)),
    };
  } finally {
    await engine.close();
  }
}
