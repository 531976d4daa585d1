import { expect, test } from 'vitest';
import type { Graph, Node } from './graph.ts';
import { widenLate } from './widen-late.ts';

test('what depends on weights alone stands before what depends on tokens, each in its order', () => {
  const graph: Graph = {
    name: 'g',
    inputs: [{ name: 'ids', dtype: 'int32', shape: ['tokens'] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['tokens', 2] }],
    initializers: [weight('table'), weight('a'), weight('b')],
    nodes: [
      node('Gather', ['table', 'ids'], 'x'),
      node('Cast', ['a'], 'a32'),
      node('Gemm', ['x', 'a32'], 'h'),
      node('Cast', ['b'], 'b32'),
      node('Transpose', ['b32'], 'bT'),
      node('Gemm', ['h', 'bT', ''], 'y'),
    ],
  };
  const { nodes, ...rest } = widenLate(graph);
  expect(nodes.map(({ outputs }) => outputs[0])).toEqual(['a32', 'b32', 'bT', 'x', 'h', 'y']);
  expect({ ...rest, nodes: graph.nodes }).toEqual(graph);
});

function weight(name: string): Graph['initializers'][number] {
  return { name, dtype: 'bfloat16', shape: [2, 2], data: { kind: 'inline', bytes: new Uint8Array(8) } };
}

function node(op: string, inputs: readonly string[], output: string): Node {
  return { name: output, op, domain: '', inputs, outputs: [output], dtype: 'float32', attributes: {} };
}
