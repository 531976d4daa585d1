import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { maxDifference, runGraph } from '../../../tests/graph/run-graph.ts';
import { openModel } from '../../models/open-model.ts';
import { optimize, passes } from './all.ts';

const models = ['bert', 'bert-bf16', 'bert-cls', 'bert-gamma-beta', 'bert-prefix', 'bert-sharded'];
const ids = [
  [[2, 5, 9, 3]],
  [
    [2, 40, 3],
    [2, 41, 3],
    [7, 7, 7],
  ],
  [[2, 17, 33, 5, 6, 250, 3], [299], [2, 3]],
];

test.each(models)('the passes of every provider leave the numbers of tiny/%s as they are', async (name) => {
  const folder = fileURLToPath(new URL(`../../../tests/goldens/models/tiny/${name}`, import.meta.url));
  const model = await openModel(folder);
  const plain = model.compile({ pooling: 'mean', provider: 'cpu' });
  for (const batch of ids) {
    const expected = (await runGraph(plain, folder, batch))['embeddings']!;
    expect(expected.shape).toEqual([batch.length, model.shape.hidden]);
    for (const pass of new Set(Object.values(passes).flat())) {
      const rewritten = pass(plain);
      const got = (await runGraph(rewritten, folder, batch))['embeddings']!;
      expect(maxDifference(expected.values, got.values), pass.name).toBeLessThanOrEqual(1e-6);
    }
    const got = (await runGraph(optimize(plain, 'cuda'), folder, batch))['embeddings']!;
    expect(maxDifference(expected.values, got.values)).toBeLessThanOrEqual(1e-6);
  }
});

test('BERT on CUDA has every residual norm and exact gelu fused', async () => {
  const folder = fileURLToPath(new URL('../../../tests/goldens/models/tiny/bert', import.meta.url));
  const model = await openModel(folder);
  const count = (provider: 'cpu' | 'cuda', op: string) =>
    model.compile({ pooling: 'mean', provider }).nodes.filter((node) => node.op === op).length;
  const { layers } = model.shape;
  expect([count('cuda', 'SkipLayerNormalization'), count('cuda', 'BiasGelu')]).toEqual([2 * layers, layers]);
  expect([count('cuda', 'LayerNormalization'), count('cuda', 'Gelu')]).toEqual([1, 0]); // the norm of the embeddings
  expect([
    count('cpu', 'SkipLayerNormalization'),
    count('cpu', 'BiasGelu'),
    count('cpu', 'LayerNormalization'),
  ]).toEqual([0, 0, 2 * layers + 1]);
});

test('the graph of an ONNX file is the same for every provider', async () => {
  const folder = fileURLToPath(new URL('../../../tests/goldens/models/weights/onnx', import.meta.url));
  const { compile } = await openModel(folder);
  const [cpu, cuda] = (['cpu', 'cuda'] as const).map((provider) => compile({ pooling: 'mean', provider }));
  expect(cuda).toEqual(cpu);
});
