import { expect, test } from 'vitest';
import { openModel } from '../../src/models/open-model.ts';
import { runGraph } from '../graph/run-graph.ts';
import { cosine, goldensFolder, loadGoldens, maxAbsDifference, readGoldenFile, tinyModels } from './goldens.ts';

/* Models with one adapter a task: the graph of each task against the reference with that adapter merged. */
const adapted = tinyModels.flatMap((name) =>
  Object.keys(readGoldenFile(`tiny-${name}`).tasks ?? {}).map((task) => ({ name, task })),
);

test('there are goldens of two tasks at least', () => {
  expect(adapted.length).toBeGreaterThanOrEqual(2);
});

test.each(adapted)(
  '$name: every golden of $task equals the reference, alone and in a batch',
  async ({ name, task }) => {
    const model = await openModel(`${goldensFolder}models/tiny/${name}`);
    expect(model.tasks).toContain(task);
    const graph = model.compile({ pooling: 'mean', provider: 'cpu', task });
    const goldens = loadGoldens(`tiny-${name}`, { task });
    const batch = await embed(goldens.map(({ ids }) => ids));
    for (const [row, { ids, vector }] of goldens.entries()) {
      const [alone] = await embed([ids]);
      for (const got of [alone!, batch[row]!]) {
        expect(maxAbsDifference(got, vector), `${ids.length} tokens`).toBeLessThanOrEqual(2e-5);
        expect(cosine(got, vector), `${ids.length} tokens`).toBeGreaterThan(0.999999);
      }
    }

    async function embed(ids: readonly (readonly number[])[]): Promise<readonly Float32Array[]> {
      const { embeddings } = await runGraph(graph, model.weightsFolder, ids);
      const dim = embeddings!.shape[1]!;
      return ids.map((_, row) => Float32Array.from(embeddings!.values.slice(row * dim, (row + 1) * dim)));
    }
  },
);

test.each(adapted)('$name: the vectors of $task are not those of the model without it', ({ name, task }) => {
  const [plain, own] = [loadGoldens(`tiny-${name}`), loadGoldens(`tiny-${name}`, { task })];
  for (const [row, { vector }] of own.entries())
    expect(maxAbsDifference(vector, plain[row]!.vector)).toBeGreaterThan(1e-2);
});
