import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { noWeights, runGraph } from '../../tests/graph/run-graph.ts';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { openModel } from '../models/open-model.ts';
import { GraphBuilder } from './builder.ts';
import { cut, cutOutput } from './cut.ts';
import type { Graph } from './graph.ts';
import { listNodes } from './list-nodes.ts';

const folder = fileURLToPath(new URL('../../tests/goldens/models/tiny/bert-bf16', import.meta.url));
const graph = (await openModel(folder)).compile({ pooling: 'mean', provider: 'cuda' });
const listed = listNodes(graph);

function cutAfter(name: string): Graph {
  const found = listed.find(({ node }) => node.name === name);
  if (found === undefined) throw new Error(`no node ${name}`);
  return cut(graph, found);
}

test('cut after its last node, a graph gives what it gave', async () => {
  for (const ids of [[[2, 5, 3]], [[2, 5, 3], [7], [9, 8]]]) {
    const whole = await runGraph(graph, folder, ids);
    const value = await runGraph(cutAfter('embeddings'), folder, ids);
    expect(value).toEqual({ [cutOutput]: whole['embeddings'] });
  }
});

test('a cut graph has only the nodes, weights and inputs that its node needs', () => {
  const { nodes, inputs, initializers } = cutAfter('embeddings.word_embeddings/Gather');
  expect(nodes.map(({ op }) => op)).toEqual(['Gather', 'Cast']);
  expect(inputs.map(({ name }) => name)).toEqual(['input_ids']);
  expect(initializers.map(({ name }) => name)).toEqual(['embeddings.word_embeddings.weight']);
});

test('every node of the graph, those in branches too, can be cut after and runs', async () => {
  expect(listed.length).toBeGreaterThan(90);
  for (const entry of listed) {
    const { [cutOutput]: value } = await runGraph(cut(graph, entry), folder, [[2, 5, 3]]);
    expect(value?.values.length, entry.node.name).toBeGreaterThan(0);
    expect(value!.values.every(Number.isFinite), entry.node.name).toBe(true);
  }
});

test('16-bit values are widened, other types come as they are', () => {
  expect(cutAfter('embeddings.word_embeddings/Gather').outputs).toEqual([{ name: cutOutput, dtype: 'float32' }]);
  expect(cutAfter('pooling/Less').outputs[0]?.dtype).toBe('bool');
  expect(cutAfter('pooling/Shape').outputs[0]?.dtype).toBe('int64');
});

test('both branches give the values of a single sequence alike', async () => {
  const path = 'encoder.layer.1.attention.self';
  const [then, otherwise] = await Promise.all(
    [`${path}/then/MultiHeadAttention`, `${path}/else/Gather_4`].map((name) =>
      runGraph(cutAfter(name), folder, [[2, 5, 3]]),
    ),
  );
  for (const [index, value] of then![cutOutput]!.values.entries())
    expect(otherwise![cutOutput]!.values[index]).toBeCloseTo(value, 5);
});

test('a node inside a loop is computed as in its first round', async () => {
  const g = new GraphBuilder(noWeights);
  const value = g.loop(g.index(3), (body, index) =>
    body.op('Add', [body.op('Mul', [index, body.index(2)]), body.index(7)]),
  );
  const looped = g.finish('test', [{ name: 'out', value }]);
  const last = listNodes(looped).find(({ node }) => node.op === 'Add')!;
  const folderOfNothing = tempFolder();
  expect((await runGraph(looped, folderOfNothing, [[0]]))['out']?.values).toEqual([7, 9, 11]);
  expect((await runGraph(cut(looped, last), folderOfNothing, [[0]]))[cutOutput]?.values).toEqual([7]);
});

test('a node inside branches of branches takes what it needs from each level', () => {
  const g = new GraphBuilder(noWeights);
  const condition = g.input('c', 'bool', []);
  const outer = g.op('Neg', [g.scalar(1)]);
  const value = g.branch(
    condition,
    (then) => {
      const middle = then.op('Abs', [outer]);
      return then.branch(
        condition,
        (inner) => inner.op('Exp', [middle]),
        (inner) => inner.op('Log', [middle]),
      );
    },
    (otherwise) => otherwise.op('Sqrt', [outer]),
  );
  const nested = g.finish('test', [{ name: 'out', value }]);
  const entries = listNodes(nested);
  expect(entries.map(({ number, node, branches }) => [number, node.op, branches.length])).toEqual([
    [0, 'Neg', 0],
    [1, 'If', 0],
    [2, 'Abs', 1],
    [3, 'If', 1],
    [4, 'Exp', 2],
    [5, 'Log', 2],
    [6, 'Sqrt', 1],
    [7, 'Identity', 0],
  ]);
  const opsAfter = (number: number) => cut(nested, entries[number]!).nodes.map(({ op }) => op);
  expect(opsAfter(5)).toEqual(['Neg', 'Abs', 'Log', 'Cast']);
  expect(opsAfter(6)).toEqual(['Neg', 'Sqrt', 'Cast']);
  expect(opsAfter(7)).toEqual(['Neg', 'If', 'Identity', 'Cast']);
});
