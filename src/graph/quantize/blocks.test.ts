import { expect, test } from 'vitest';
import { graphOver } from '../../../tests/graph/quantized-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { linear } from '../layers/linear.ts';
import type { Provider } from '../passes/all.ts';
import { findNaN, multiplyBlocks, planBlocks } from './blocks.ts';
import { findLinears } from './linears.ts';
import { NodeList, NodeNames } from './node-list.ts';

/** A layer of 70 inputs, which fill two blocks and a part, and 48 outputs. */
function rewrite(bits: 4 | 8, provider: Provider, bias = true) {
  const shapes = { table: [10, 70], 'a.weight': [48, 70], 'a.bias': [48] };
  const graph = graphOver(tempFolder(), shapes, (g, x) =>
    linear(g, 'a', g.op('Neg', [x]), { inputs: 70, outputs: 48, bias }),
  );
  const names = new NodeNames(graph);
  const list = new NodeList(names);
  const [layer] = findLinears(graph);
  const nan = findNaN(list, layer!, provider);
  multiplyBlocks(list, layer!, planBlocks(layer!, bits), { provider, nan });
  const derived = names.initializers.filter(({ data }) => data.kind === 'derived');
  return { nodes: list.take(), derived: derived.map(({ dtype, shape }) => [dtype, ...shape]) };
}

test('codes, scales and zero points have the shapes of MatMulNBits', () => {
  expect(rewrite(4, 'cpu').derived).toEqual([
    ['uint8', 48, 3, 16],
    ['float32', 144],
    ['uint8', 96],
  ]);
  expect(rewrite(8, 'cpu').derived).toEqual([
    ['uint8', 48, 3, 32],
    ['float32', 144],
  ]);
});

test('the product has the name that the layer had, and takes its bias along', () => {
  for (const bias of [true, false])
    for (const bits of [4, 8] as const) {
      const { nodes } = rewrite(bits, 'cuda', bias);
      expect(nodes).toHaveLength(1);
      const zeroPoints = bits === 4 ? 'a.weight.int4.zero_points' : '';
      expect(nodes[0]).toMatchObject({ op: 'MatMulNBits', domain: 'com.microsoft', outputs: ['a/Gemm'] });
      const codes = [`a.weight.int${bits}.blocks`, `a.weight.int${bits}.scales`];
      expect(nodes[0]!.inputs).toEqual(['Neg', ...codes, zeroPoints, '', bias ? 'a.bias' : '']);
    }
});

test('a CPU multiplies in 8 bits and says where that loses a NaN; a GPU multiplies floats', () => {
  const [cpu, cuda] = [rewrite(4, 'cpu').nodes, rewrite(4, 'cuda').nodes];
  const product = cpu.find(({ op }) => op === 'MatMulNBits');
  expect(product?.attributes['accuracy_level']).toEqual({ kind: 'int', value: 4 });
  expect(cpu.map(({ op }) => op)).toEqual(['ReduceSum', 'Mul', 'MatMulNBits', 'Add']);
  expect(cpu.at(-1)?.outputs).toEqual(['a/Gemm']);
  expect(cuda[0]!.attributes).not.toHaveProperty('accuracy_level');
});
