import { expect, test } from 'vitest';
import { graphOver } from '../../../tests/graph/quantized-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { NodeList, NodeNames } from './node-list.ts';

function start() {
  const graph = graphOver(tempFolder(), { table: [10, 4] }, (g, x, { equalLengths }) =>
    g.scope('layer', () => {
      const inside = g.branch(
        equalLengths,
        (then) => then.op('Abs', [x]),
        (otherwise) => otherwise.op('Neg', [x]),
      );
      return g.op('Mul', [g.op('Mul', [inside, x]), x]);
    }),
  );
  const names = new NodeNames(graph);
  const gemm = { ...graph.nodes[0]!, name: 'layer/Gemm_2' };
  return { graph, names, list: new NodeList(names), gemm };
}

test('nodes are named after the one they replace, and no name is given twice, nor one of a branch', () => {
  const { graph, list, names, gemm } = start();
  const values = ['Mul', 'Abs', 'Abs', 'Mul'].map((op) => list.add(gemm, op, ['x']));
  expect(values).toEqual(['layer/Mul_3', 'layer/Abs', 'layer/Abs_2', 'layer/Mul_4']);
  expect(names.unique('layer/then/Abs')).toBe('layer/then/Abs_2');
  expect(graph.nodes.map(({ name }) => name)).not.toContain('layer/Mul_3');
});

test('a value may keep the name that others know', () => {
  const { list, gemm } = start();
  expect(list.add(gemm, 'Add', ['x', 'y'], { output: 'known' })).toBe('known');
  expect(list.take()).toMatchObject([{ name: 'layer/Add', outputs: ['known'], dtype: 'float32', domain: '' }]);
});

test('nodes are taken once', () => {
  const { list, gemm } = start();
  list.add(gemm, 'Abs', ['x']);
  expect([list.take().length, list.take().length]).toEqual([1, 0]);
});

test('a constant is kept once, whoever asks for it', () => {
  const { graph, names } = start();
  for (const list of [new NodeList(names), new NodeList(names)])
    expect([list.float(0.5), list.uint8(128), list.int64(-1), list.derived('w.int8', 'int8', [4, 6])]).toEqual([
      'float32(0.5)',
      'uint8(128)',
      'int64[-1]',
      'w.int8',
    ]);
  const added = names.initializers.slice(graph.initializers.length);
  expect(added.map(({ dtype, shape }) => [dtype, ...shape])).toEqual([
    ['float32'],
    ['uint8'],
    ['int64', 1],
    ['int8', 4, 6],
  ]);
});

test('what every token has one of comes first, once', () => {
  const { names } = start();
  const list = new NodeList(names);
  expect([list.perToken(128), list.perToken(0), list.perToken(128)]).toEqual([
    'tokens/uint8(128)',
    'tokens/uint8(0)',
    'tokens/uint8(128)',
  ]);
  expect(names.leadingNodes.map(({ op, inputs }) => [op, ...inputs])).toEqual([
    ['Shape', 'input_ids'],
    ['Expand', 'uint8(128)', 'tokens/Shape'],
    ['Expand', 'uint8(0)', 'tokens/Shape'],
  ]);
  expect(list.take()).toEqual([]);
});
