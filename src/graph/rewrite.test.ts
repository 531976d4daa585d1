import { expect, test } from 'vitest';
import { noWeights } from '../../tests/graph/run-graph.ts';
import { GraphBuilder, type Value } from './builder.ts';
import type { Graph } from './graph.ts';
import { replaceNodes, Uses } from './rewrite.ts';

function graphOf(body: (g: GraphBuilder, x: Value) => Value): Graph {
  const g = new GraphBuilder(noWeights);
  const x = g.input('x', 'float32', ['n']);
  return g.finish('test', [{ name: 'out', value: body(g, x) }]);
}

test('a value read once by a node is only for it', () => {
  const uses = new Uses(graphOf((g, x) => g.op('Exp', [g.op('Neg', [x])])));
  expect(uses.producer('Neg')?.op).toBe('Neg');
  expect(uses.onlyFor('Neg', 'Neg')?.op).toBe('Neg');
  expect(uses.onlyFor('Neg', 'Exp')).toBeUndefined();
  expect([
    uses.onlyFor('x', 'Neg'),
    uses.onlyFor(undefined, 'Neg'),
    uses.producer(''),
    uses.producer(undefined),
  ]).toEqual([undefined, undefined, undefined, undefined]);
});

test.each<[string, (g: GraphBuilder, x: Value) => Value]>([
  [
    'two nodes',
    (g, x) => {
      const y = g.op('Neg', [x]);
      return g.op('Add', [g.op('Exp', [y]), g.op('Exp', [y])]);
    },
  ],
  [
    'one node twice',
    (g, x) => {
      const y = g.op('Neg', [x]);
      return g.op('Add', [y, y]);
    },
  ],
  [
    'a node and a branch',
    (g, x) => {
      const y = g.op('Neg', [x]);
      return g.op('Add', [
        y,
        g.branch(
          g.cast(g.index(1), 'bool'),
          (then) => then.op('Exp', [y]),
          (otherwise) => otherwise.op('Exp', [x]),
        ),
      ]);
    },
  ],
  [
    'a node and a branch that hands it on',
    (g, x) => {
      const y = g.op('Neg', [x]);
      return g.op('Add', [
        y,
        g.branch(
          g.cast(g.index(1), 'bool'),
          () => y,
          (otherwise) => otherwise.op('Exp', [x]),
        ),
      ]);
    },
  ],
])('a value read by %s is for none alone', (_name, body) => {
  const uses = new Uses(graphOf(body));
  expect(uses.producer('Neg')?.op).toBe('Neg');
  expect(uses.onlyFor('Neg', 'Neg')).toBeUndefined();
});

test('an output of the graph is read by whoever runs it', () => {
  const graph = graphOf((g, x) => g.op('Exp', [g.op('Neg', [x])]));
  const uses = new Uses({ ...graph, outputs: [...graph.outputs, { name: 'Neg', dtype: 'float32' }] });
  expect(uses.onlyFor('Neg', 'Neg')).toBeUndefined();
});

test('the shape of a constant is known through casts, that of a computed value is not', () => {
  const uses = new Uses(graphOf((g, x) => g.op('Add', [x, g.cast(g.cast(g.int64(1, 2), 'int32'), 'float32')])));
  expect([uses.constantShape('int64[1,2]'), uses.constantShape('Cast'), uses.constantShape('Cast_2')]).toEqual([
    [2],
    [2],
    [2],
  ]);
  expect([
    uses.constantShape('x'),
    uses.constantShape('Add'),
    uses.constantShape(''),
    uses.constantShape(undefined),
  ]).toEqual([undefined, undefined, undefined, undefined]);
});

test('nodes are replaced in place, by none or several, and the graph given stays as it was', () => {
  const graph = graphOf((g, x) => g.op('Exp', [g.op('Neg', [x])]));
  const [neg, exp] = graph.nodes;
  const before = structuredClone(graph);
  const replaced = replaceNodes(
    graph,
    new Map([
      [neg!, []],
      [
        exp!,
        [
          { ...exp!, op: 'A' },
          { ...exp!, op: 'B' },
        ],
      ],
    ]),
  );
  expect(replaced.nodes.map(({ op }) => op)).toEqual(['A', 'B', 'Identity']);
  expect(graph).toEqual(before);
  expect(replaceNodes(graph, new Map())).toBe(graph);
});
