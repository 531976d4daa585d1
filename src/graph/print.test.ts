import { expect, test } from 'vitest';
import type { TensorIndex } from '../store/safetensors.ts';
import { GraphBuilder } from './builder.ts';
import { float, ints, string } from './graph.ts';
import { printGraph, printNodes } from './print.ts';

const weights: TensorIndex = new Map([
  ['w', { name: 'w', type: 'F16', shape: [2, 3], file: '/models/x/weights.safetensors', offset: 64, byteLength: 12 }],
]);

function exampleGraph() {
  const g = new GraphBuilder(weights);
  const condition = g.input('flag', 'bool', []);
  const x = g.input('x', 'float32', ['tokens', 2]);
  const y = g.op('Clip', [x, undefined, g.scalar(1)], {
    attributes: { f: float(0.5), is: ints([1, 2]), s: string('a b') },
  });
  const value = g.scope('layer.0', () =>
    g.branch(
      condition,
      (then) => then.op('MatMul', [y, then.weight('w', [2, 3])]),
      (otherwise) => otherwise.op('Fancy', [y], { domain: 'com.microsoft' }),
    ),
  );
  return g.finish('test', [{ name: 'out', value, shape: ['tokens', 3] }]);
}

test('a graph is printed with its edges, where its values lie and one line a node', () => {
  expect(printGraph(exampleGraph())).toBe(`inputs
  flag  bool []
  x  float32 [tokens, 2]

outputs
  out  float32 [tokens, 3]

initializers
  float32(1)  float32 []  inline 4 bytes
  w  float16 [2, 3]  weights.safetensors 64 + 12 bytes

nodes
0  Clip  Clip  x, -, float32(1) -> Clip float32  f=0.5  is=[1, 2]  s="a b"
1  layer.0/If  If  flag -> layer.0/If float32  then_branch={2 nodes}  else_branch={1 nodes}
2    layer.0/then/Cast  Cast  w -> layer.0/then/Cast float32  to=1
3    layer.0/then/MatMul  MatMul  Clip, layer.0/then/Cast -> layer.0/then/MatMul float32
4    layer.0/else/Fancy  com.microsoft.Fancy  Clip -> layer.0/else/Fancy float32
5  out  Identity  layer.0/If -> out float32
`);
});

test('the nodes alone are the same lines', () => {
  const graph = exampleGraph();
  expect(printGraph(graph).endsWith(`nodes\n${printNodes(graph)}`)).toBe(true);
});

test('an empty graph prints no node', () => {
  expect(printNodes({ name: 'empty', inputs: [], outputs: [], nodes: [], initializers: [] })).toBe('');
});
