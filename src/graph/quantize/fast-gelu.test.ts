import { expect, test } from 'vitest';
import { graphOver } from '../../../tests/graph/quantized-graph.ts';
import { maxDifference, runGraph } from '../../../tests/graph/run-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import type { GraphBuilder, Value } from '../builder.ts';
import { string } from '../graph.ts';
import { linear } from '../layers/linear.ts';
import { fuseFastGelu } from './fast-gelu.ts';

const shapes = { table: [10, 8], 'a.weight': [8, 8], 'a.bias': [8] };
const a = (g: GraphBuilder, x: Value, bias = true) => linear(g, 'a', x, { inputs: 8, outputs: 8, bias });

test('GELU and the bias before it become one operator, which differs by less than 0.0005', async () => {
  const folder = tempFolder();
  const graph = graphOver(folder, shapes, (g, x) => g.op('Gelu', [a(g, x)]));
  const fused = fuseFastGelu(graph);
  expect(fused.nodes.map(({ op }) => op)).toEqual(['Gather', 'Gemm', 'FastGelu', 'Identity']);
  const ids = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]];
  const [exact, fast] = [await runGraph(graph, folder, ids), await runGraph(fused, folder, ids)];
  const difference = maxDifference(fast['out']!.values, exact['out']!.values);
  expect(difference).toBeLessThan(0.0005);
  expect(difference).toBeGreaterThan(0);
});

test('other activations, and GELU without a bias, stay', () => {
  const bodies: readonly ((g: GraphBuilder, x: Value) => Value)[] = [
    (g, x) => g.op('Relu', [a(g, x)]),
    (g, x) => g.op('Gelu', [a(g, x)], { attributes: { approximate: string('tanh') } }),
    (g, x) => g.op('Gelu', [a(g, x, false)]),
  ];
  for (const body of bodies) {
    const graph = graphOver(tempFolder(), shapes, body);
    expect(fuseFastGelu(graph)).toEqual(graph);
  }
});
