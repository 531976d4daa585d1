import { expect, test } from 'vitest';
import { graphOver } from '../../../tests/graph/quantized-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { readsOf } from '../list-nodes.ts';
import { prune } from './prune.ts';

const shapes = { table: [10, 4], w: [4], unread: [4] };

test('nodes and constants that nobody reads go, and what only they read goes with them', () => {
  const graph = graphOver(tempFolder(), shapes, (g, x) => {
    g.op('Neg', [g.op('Add', [x, g.weight('unread', [4])])]);
    return g.op('Add', [x, g.weight('w', [4])]);
  });
  const { nodes, initializers } = prune(graph);
  expect(nodes.map(({ name }) => name)).toEqual(['Gather', 'Add_2', 'out']);
  expect(initializers.map(({ name }) => name)).toEqual(['table', 'w']);
});

test('what a branch reads or gives stays', () => {
  const graph = graphOver(tempFolder(), shapes, (g, x, { equalLengths }) => {
    const doubled = g.op('Add', [x, x]);
    const shifted = g.op('Sub', [x, g.weight('unread', [4])]);
    return g.branch(
      equalLengths,
      (then) => then.op('Neg', [doubled]),
      () => shifted,
    );
  });
  expect(prune(graph)).toEqual(graph);
  const [branch] = graph.nodes.filter(({ op }) => op === 'If');
  expect(readsOf(branch!)).toEqual(expect.arrayContaining(['equal_lengths', 'Add', 'Sub']));
});
