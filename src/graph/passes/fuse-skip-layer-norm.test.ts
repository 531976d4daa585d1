import { expect, test } from 'vitest';
import { graphOverLayer, type Layer } from '../../../tests/graph/random-layer.ts';
import { maxDifference, runGraph } from '../../../tests/graph/run-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import type { GraphBuilder, Value } from '../builder.ts';
import { float, int } from '../graph.ts';
import { fuseSkipLayerNorm } from './fuse-skip-layer-norm.ts';

type Body = (g: GraphBuilder, layer: Layer) => Value;
const attributes = { axis: int(-1), epsilon: float(0.01) };
const gemm = (g: GraphBuilder, { x, weight, bias }: Layer) =>
  g.op('Gemm', [x, weight, bias], { attributes: { transB: int(1) } });
const norm = (
  g: GraphBuilder,
  sum: Value,
  { scale, shift }: Layer,
  options: Parameters<GraphBuilder['op']>[2] = { attributes },
) => g.op('LayerNormalization', [sum, scale, shift], options);

test.each<[string, Body, readonly string[]]>([
  [
    'Gemm + residual',
    (g, layer) => norm(g, g.op('Add', [gemm(g, layer), layer.residual]), layer),
    ['Gemm', 'Gather_2', 'scale', 'shift', 'bias'],
  ],
  [
    'residual + Gemm',
    (g, layer) => norm(g, g.op('Add', [layer.residual, gemm(g, layer)]), layer),
    ['Gather_2', 'Gemm', 'scale', 'shift', 'bias'],
  ],
  [
    'Gemm without a bias + residual',
    (g, layer) =>
      norm(
        g,
        g.op('Add', [g.op('Gemm', [layer.x, layer.weight], { attributes: { transB: int(1) } }), layer.residual]),
        layer,
      ),
    ['Gemm', 'Gather_2', 'scale', 'shift'],
  ],
  [
    'two Gemms',
    (g, layer) => norm(g, g.op('Add', [gemm(g, layer), gemm(g, layer)]), layer),
    ['Gemm', 'Gemm_2', 'scale', 'shift', 'bias'],
  ],
  [
    'a scaled bias stays in its Gemm',
    (g, layer) =>
      norm(
        g,
        g.op('Add', [
          g.op('Gemm', [layer.x, layer.weight, layer.bias], { attributes: { transB: int(1), beta: float(3) } }),
          layer.residual,
        ]),
        layer,
      ),
    ['Gemm', 'Gather_2', 'scale', 'shift'],
  ],
  [
    'a Gemm that others read keeps its bias',
    (g, layer) => {
      const y = gemm(g, layer);
      return g.op('Add', [y, norm(g, g.op('Add', [y, layer.residual]), layer)]);
    },
    ['Gemm', 'Gather_2', 'scale', 'shift'],
  ],
])('%s: fused with the same numbers', async (_name, body, inputs) => {
  const folder = tempFolder();
  const graph = graphOverLayer(folder, body);
  const fused = fuseSkipLayerNorm(graph);
  const node = fused.nodes.find(({ op }) => op === 'SkipLayerNormalization');
  expect(node?.inputs).toEqual(inputs);
  const ids = [[1, 2, 3], [9]];
  const [before, after] = [await runGraph(graph, folder, ids), await runGraph(fused, folder, ids)];
  expect(before['out']!.values).toHaveLength(24);
  expect(maxDifference(before['out']!.values, after['out']!.values)).toBeLessThanOrEqual(2e-6);
});

test('the name, the output and epsilon are kept; the axis, which the fused operator lacks, goes', () => {
  const graph = graphOverLayer(tempFolder(), (g, layer) =>
    norm(g, g.op('Add', [gemm(g, layer), layer.residual]), layer),
  );
  const node = fuseSkipLayerNorm(graph).nodes.find(({ op }) => op === 'SkipLayerNormalization');
  expect(node).toMatchObject({ name: 'LayerNormalization', domain: 'com.microsoft', outputs: ['LayerNormalization'] });
  expect(node?.attributes).toEqual({ epsilon: float(0.01) });
});

test('an epsilon that is not written is the default of LayerNormalization', async () => {
  const folder = tempFolder();
  // Rows scaled down until epsilon decides the numbers.
  const tiny = (g: GraphBuilder, value: Value) => g.op('Mul', [value, g.scalar(1e-3)]);
  const graph = graphOverLayer(folder, (g, layer) => {
    const small = g.op('Gemm', [tiny(g, layer.x), layer.weight], { attributes: { transB: int(1) } });
    return norm(g, g.op('Add', [small, tiny(g, layer.residual)]), layer, {});
  });
  const fused = fuseSkipLayerNorm(graph);
  expect(fused).not.toBe(graph);
  const [before, after] = [await runGraph(graph, folder, [[1, 2]]), await runGraph(fused, folder, [[1, 2]])];
  expect(maxDifference(before['out']!.values, after['out']!.values)).toBeLessThanOrEqual(1e-5);
});

test.each<[string, Body]>([
  [
    'a sum that others read',
    (g, layer) => {
      const sum = g.op('Add', [gemm(g, layer), layer.residual]);
      return g.op('Add', [sum, norm(g, sum, layer)]);
    },
  ],
  ['a sum with a constant row', (g, layer) => norm(g, g.op('Add', [gemm(g, layer), layer.bias]), layer)],
  [
    'a sum without a Gemm, which may be broadcast',
    (g, layer) => norm(g, g.op('Add', [layer.residual, g.op('Neg', [layer.bias])]), layer),
  ],
  [
    'another axis',
    (g, layer) =>
      norm(g, g.op('Add', [gemm(g, layer), layer.residual]), layer, { attributes: { ...attributes, axis: int(1) } }),
  ],
  [
    'a norm without a shift',
    (g, layer) =>
      g.op('LayerNormalization', [g.op('Add', [gemm(g, layer), layer.residual]), layer.scale], { attributes }),
  ],
  [
    'a norm whose shift is marked absent',
    (g, layer) =>
      g.op('LayerNormalization', [g.op('Add', [gemm(g, layer), layer.residual]), layer.scale, undefined], {
        attributes,
      }),
  ],
  ['a norm of a product', (g, layer) => norm(g, g.op('Mul', [gemm(g, layer), layer.residual]), layer)],
  [
    'another norm',
    (g, layer) =>
      g.op('RMSNormalization', [g.op('Add', [gemm(g, layer), layer.residual]), layer.scale, layer.shift], {
        attributes,
      }),
  ],
])('%s is left alone', (_name, body) => {
  const graph = graphOverLayer(tempFolder(), body);
  expect(fuseSkipLayerNorm(graph)).toBe(graph);
});
