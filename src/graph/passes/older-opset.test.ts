import { expect, test } from 'vitest';
import { noWeights } from '../../../tests/graph/run-graph.ts';
import { GraphBuilder } from '../builder.ts';
import type { Graph } from '../graph.ts';
import { normalize } from '../layers/normalize.ts';
import { toOlderOpset } from './older-opset.ts';

function graphOf(opset: number | undefined): Graph {
  const g = new GraphBuilder(noWeights);
  const x = g.input('x', 'float32', ['batch', 4]);
  const wide = g.op('Unsqueeze', [g.op('ReduceSum', [normalize(g, x), g.int64(1, -1)]), g.int64(0)]);
  const graph = g.finish('test', [{ name: 'out', value: wide, shape: [] }]);
  return opset === undefined ? graph : { ...graph, format: { irVersion: 8, opsets: { '': opset }, functions: [] } };
}

const axesOf = ({ nodes }: Graph) =>
  Object.fromEntries(nodes.map(({ op, inputs, attributes }) => [op, [inputs.length, attributes['axes']]]));

test.each([
  [11, { ReduceL2: 1, ReduceSum: 1, Unsqueeze: 1 }],
  [13, { ReduceL2: 1, ReduceSum: 2, Unsqueeze: 2 }],
  [17, { ReduceL2: 1, ReduceSum: 2, Unsqueeze: 2 }],
  [18, { ReduceL2: 2, ReduceSum: 2, Unsqueeze: 2 }],
])('in version %d axes are inputs only where the operator knows that', (opset, inputs) => {
  const got = axesOf(toOlderOpset(graphOf(opset)));
  for (const [op, count] of Object.entries(inputs)) expect([op, got[op]?.[0]]).toEqual([op, count]);
  if (opset === 11) expect(got['ReduceSum']?.[1]).toEqual({ kind: 'ints', value: [1, -1] });
});

test('a graph of our own version stays as it is', () => {
  for (const graph of [graphOf(undefined), graphOf(21)]) expect(toOlderOpset(graph)).toBe(graph);
});

test('axes that are computed cannot be written in an older version', () => {
  const g = new GraphBuilder(noWeights);
  const x = g.input('x', 'float32', ['n']);
  const value = g.op('Unsqueeze', [x, g.input('axes', 'int64', [1])]);
  const graph = g.finish('test', [{ name: 'out', value, shape: [] }]);
  expect(() => toOlderOpset({ ...graph, format: { irVersion: 8, opsets: { '': 11 }, functions: [] } })).toThrow(/bug/);
});
