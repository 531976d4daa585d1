import { expect, test } from 'vitest';
import { graphOver } from '../../../tests/graph/quantized-graph.ts';
import { runGraph } from '../../../tests/graph/run-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import type { GraphBuilder, Value } from '../builder.ts';
import type { Graph } from '../graph.ts';
import { linear } from '../layers/linear.ts';
import { quantizeInput } from './input-codes.ts';
import { Constants, findLinears } from './linears.ts';
import { NodeList, NodeNames } from './node-list.ts';

const [rows, size] = [12, 40];
const shapes = { table: [rows, size], 'a.weight': [32, size], 'a.bias': [32] };

/** The codes that are made of every row of the table behind `before`, and what they stand for. */
async function quantizeRows(
  before: (g: GraphBuilder, x: Value) => Value,
  change: (name: string, data: Float32Array) => void = () => {},
) {
  const folder = tempFolder();
  const graph = graphOver(
    folder,
    shapes,
    (g, x) => linear(g, 'a', before(g, x), { inputs: size, outputs: 32 }),
    (name, data) => {
      if (name === 'table') for (let i = 0; i < data.length; i++) data[i]! *= 4 ** ((i % rows) - 5);
      change(name, data);
    },
  );
  const names = new NodeNames(graph);
  const list = new NodeList(names);
  const [layer] = findLinears(graph);
  const { codes, scale, zeroPoint } = quantizeInput(list, layer!, { constants: new Constants(graph) });
  const cut: Graph = {
    ...graph,
    nodes: [...names.leadingNodes, ...graph.nodes.filter((node) => node !== layer!.node && node.op !== 'Identity'), ...list.take()], // prettier-ignore
    outputs: [
      { name: layer!.input, dtype: 'float32' },
      { name: codes, dtype: 'uint8' },
      { name: scale, dtype: 'float32' },
    ],
    initializers: names.initializers,
  };
  const made = await runGraph(cut, folder, [Array.from({ length: rows }, (_, row) => row)]);
  const scales = made[scale]!.values;
  expect(made[scale]!.shape).toEqual([rows, 1]);
  return {
    values: made[layer!.input]!.values,
    codes: made[codes]!.values,
    back: made[codes]!.values.map((code, at) => (code - zeroPoint) * scales[Math.floor(at / size)]!),
    scales,
    zeroPoint,
  };
}

test.each<[string, number, (g: GraphBuilder, x: Value) => Value]>([
  ['any value', 128, (g, x) => g.op('Neg', [x])],
  ['GELU', 20, (g, x) => g.op('Gelu', [x])],
  ['ReLU', 0, (g, x) => g.op('Relu', [x])],
])('%s has the zero point %i, and comes back within half a step of its row', async (_name, expected, before) => {
  const { values, back, scales, zeroPoint } = await quantizeRows(before);
  expect(zeroPoint).toBe(expected);
  for (const [at, value] of values.entries()) {
    const step = scales[Math.floor(at / size)]!;
    expect(Math.abs(back[at]! - value), `${value} in steps of ${step}`).toBeLessThanOrEqual(step * 0.5001);
  }
});

test('the greatest number of a row has the last code', async () => {
  const { codes } = await quantizeRows((g, x) => g.op('Relu', [x]));
  for (let row = 0; row < rows; row++) expect(Math.max(...codes.slice(row * size, (row + 1) * size))).toBe(255);
});

test('a row of zeros comes back as zeros', async () => {
  for (const op of ['Neg', 'Gelu', 'Relu']) {
    const { back } = await quantizeRows(
      (g, x) => g.op(op, [x]),
      (name, data) => void (name === 'table' && data.fill(0, size, 2 * size)),
    );
    expect(back.slice(size, 2 * size).every((value) => value === 0)).toBe(true);
  }
});

test('a row of equal numbers has no greater scale for their mean', async () => {
  const { scales } = await quantizeRows(
    (g, x) => g.op('Neg', [x]),
    (name, data) => void (name === 'table' && data.fill(0.1, size, 2 * size)),
  );
  expect(scales[1]).toBeCloseTo(0.1 / 127, 9);
});

test('a NaN wherever it stands makes the scale of its row NaN, and of no other', async () => {
  for (const op of ['Neg', 'Abs'])
    for (let column = 0; column < size; column += 3) {
      const { scales } = await quantizeRows(
        (g, x) => g.op(op, [x]),
        (name, data) => void (name === 'table' && (data[5 * size + column] = NaN)),
      );
      expect(scales.map(Number.isNaN)).toEqual(scales.map((_, row) => row === 5));
    }
});
