import { expect, test } from 'vitest';
import { graphOver } from '../../../tests/graph/quantized-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import type { GraphBuilder, Value } from '../builder.ts';
import { float, type Graph, int } from '../graph.ts';
import { linear } from '../layers/linear.ts';
import type { PackedInputs } from '../packed-inputs.ts';
import { Constants, findLinears } from './linears.ts';

const shapes = {
  table: [10, 64],
  'a.weight': [48, 64],
  'a.bias': [48],
  'small.weight': [31, 64],
  'small.bias': [31],
  'flat.weight': [48, 31],
  'fused.weight': [144, 64],
  'fused.bias': [144],
  'back.weight': [64, 64],
};

/** Weights of the layers that are found, by the names of the values they read. */
function found(body: (g: GraphBuilder, x: Value, inputs: PackedInputs) => Value, change = (graph: Graph) => graph) {
  const graph = change(graphOver(tempFolder(), shapes, (g, x, inputs) => body(g, g.op('Neg', [x]), inputs)));
  return findLinears(graph).map(({ input, weight, bias }) => [input, weight.name, bias]);
}

const a = (g: GraphBuilder, x: Value) => linear(g, 'a', x, { inputs: 64, outputs: 48 });

test('a layer with a weight of the checkpoint is found, with its bias or without', () => {
  expect(found(a)).toEqual([['Neg', 'a.weight', 'a.bias']]);
  expect(found((g, x) => linear(g, 'a', x, { inputs: 64, outputs: 48, bias: false }))).toEqual([
    ['Neg', 'a.weight', undefined],
  ]);
});

test('a part of a fused weight is a layer of its own, of its own bytes', () => {
  const graph = graphOver(tempFolder(), shapes, (g, x) =>
    linear(g, 'fused', g.op('Neg', [x]), { inputs: 64, outputs: 144, part: { from: 48, rows: 48 } }),
  );
  const [part] = findLinears(graph);
  const whole = new Constants(
    graphOver(tempFolder(), shapes, (g, x) => linear(g, 'fused', g.op('Neg', [x]), { inputs: 64, outputs: 144 })),
  ).view('fused.weight')!;
  expect(part?.weight).toMatchObject({
    name: 'fused.weight[48:96]',
    shape: [48, 64],
    offset: whole.offset + 48 * 64 * 4,
    byteLength: 48 * 64 * 4,
  });
});

test('a matrix with a side below 32 is too small', () => {
  expect(found((g, x) => linear(g, 'small', x, { inputs: 64, outputs: 31 }))).toEqual([]);
});

test('what reads rows of a table as they are, or a constant, is left', () => {
  const graph = graphOver(tempFolder(), shapes, a);
  expect(findLinears(graph)).toEqual([]); // of the rows taken there is nothing to say yet
  const ofConstant = (g: GraphBuilder) => a(g, g.weight('back.weight', [64, 64]));
  expect(found(ofConstant)).toEqual([]);
  expect(found((g) => a(g, g.op('Neg', [g.weight('back.weight', [64, 64])])))).toEqual([]);
});

test('a product that is scaled, or of an untransposed matrix, is left', () => {
  const gemm = (attributes: Parameters<GraphBuilder['op']>[2]) => (g: GraphBuilder, x: Value) =>
    g.op('Gemm', [x, g.weight('back.weight', [64, 64])], attributes);
  expect(found(gemm({ attributes: { transB: int(1) } }))).toHaveLength(1);
  expect(found(gemm({ attributes: { transB: int(1), alpha: float(2) } }))).toEqual([]);
  expect(found(gemm({ attributes: { transB: int(0) } }))).toEqual([]);
  expect(found(gemm({}))).toEqual([]);
});

test('weights that travel inside the graph, as those after pooling do, are left', () => {
  const inline = (graph: Graph): Graph => ({
    ...graph,
    initializers: graph.initializers.map((initializer) =>
      initializer.data.kind === 'checkpoint' && initializer.name === 'a.weight'
        ? { ...initializer, data: { kind: 'checkpoint', view: { ...initializer.data.view, bytes: new Uint8Array(4) } } }
        : initializer,
    ),
  });
  expect(found(a, inline)).toEqual([]);
});

test('a weight that is computed, turned for instance, is left', () => {
  expect(
    found((g, x) => {
      const turned = g.op('Transpose', [g.weight('back.weight', [64, 64])]);
      return g.op('Gemm', [x, turned], { attributes: { transB: int(1) } });
    }),
  ).toEqual([]);
});

test('layers inside a branch are left, and what a branch reads of the tokens makes its result depend on them', () => {
  const inBranch = (g: GraphBuilder, x: Value, { equalLengths }: PackedInputs) =>
    g.branch(
      equalLengths,
      (then) => a(then, x),
      (otherwise) => a(otherwise, otherwise.op('Abs', [x])),
    );
  expect(found(inBranch)).toEqual([]);
  const behind = (g: GraphBuilder, x: Value, { equalLengths }: PackedInputs) =>
    a(
      g,
      g.branch(
        equalLengths,
        (then) => then.op('Abs', [x]),
        (otherwise) => otherwise.op('Neg', [x]),
      ),
    );
  expect(found(behind)).toEqual([['If', 'a.weight', 'a.bias']]);
});
