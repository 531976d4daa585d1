import { expect, test } from 'vitest';
import { graphOverLayer, type Layer } from '../../../tests/graph/random-layer.ts';
import { maxDifference, runGraph } from '../../../tests/graph/run-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import type { GraphBuilder, Value } from '../builder.ts';
import { float, int, string } from '../graph.ts';
import { fuseBiasGelu } from './fuse-bias-gelu.ts';

const transB = { transB: int(1) };
const opsOf = (graph: ReturnType<typeof fuseBiasGelu>) => graph.nodes.map(({ op }) => op);

test('Gelu of a Gemm with a bias becomes BiasGelu and gives the same numbers', async () => {
  const folder = tempFolder();
  const graph = graphOverLayer(folder, (g, { x, weight, bias }) =>
    g.op('Gelu', [g.op('Gemm', [x, weight, bias], { attributes: transB })]),
  );
  const fused = fuseBiasGelu(graph);
  expect(opsOf(graph)).toContain('Gelu');
  expect(opsOf(fused)).not.toContain('Gelu');
  const gemm = fused.nodes.find(({ op }) => op === 'Gemm');
  expect(gemm).toMatchObject({ inputs: ['Gather', 'weight'], attributes: transB });
  expect(fused.nodes.find(({ op }) => op === 'BiasGelu')).toMatchObject({
    name: 'Gelu',
    domain: 'com.microsoft',
    inputs: ['Gemm', 'bias'],
    outputs: ['Gelu'],
    attributes: {},
  });
  const ids = [[1, 2, 3], [9]];
  const [before, after] = [await runGraph(graph, folder, ids), await runGraph(fused, folder, ids)];
  expect(before['out']!.values).toHaveLength(24);
  expect(maxDifference(before['out']!.values, after['out']!.values)).toBeLessThanOrEqual(1e-6);
});

test.each<[string, (g: GraphBuilder, layer: Layer) => Value]>([
  [
    'the tanh form',
    (g, { x, weight, bias }) =>
      g.op('Gelu', [g.op('Gemm', [x, weight, bias], { attributes: transB })], {
        attributes: { approximate: string('tanh') },
      }),
  ],
  ['a Gemm without a bias', (g, { x, weight }) => g.op('Gelu', [g.op('Gemm', [x, weight], { attributes: transB })])],
  [
    'a bias that is marked absent',
    (g, { x, weight }) => g.op('Gelu', [g.op('Gemm', [x, weight, undefined], { attributes: transB })]),
  ],
  [
    'a scaled bias',
    (g, { x, weight, bias }) =>
      g.op('Gelu', [g.op('Gemm', [x, weight, bias], { attributes: { ...transB, beta: float(0.5) } })]),
  ],
  [
    'a bias of two dimensions',
    (g, { x, weight, row }) => g.op('Gelu', [g.op('Gemm', [x, weight, row], { attributes: transB })]),
  ],
  [
    'a bias that is computed',
    (g, { x, weight, residual }) => g.op('Gelu', [g.op('Gemm', [x, weight, residual], { attributes: transB })]),
  ],
  [
    'a Gemm that others read',
    (g, { x, weight, bias }) => {
      const y = g.op('Gemm', [x, weight, bias], { attributes: transB });
      return g.op('Add', [y, g.op('Gelu', [y])]);
    },
  ],
  [
    'another operator between',
    (g, { x, weight, bias }) => g.op('Gelu', [g.op('Neg', [g.op('Gemm', [x, weight, bias], { attributes: transB })])]),
  ],
  [
    'another activation',
    (g, { x, weight, bias }) => g.op('Relu', [g.op('Gemm', [x, weight, bias], { attributes: transB })]),
  ],
])('%s is left alone', (_name, body) => {
  const graph = graphOverLayer(tempFolder(), body);
  expect(fuseBiasGelu(graph)).toBe(graph);
});
