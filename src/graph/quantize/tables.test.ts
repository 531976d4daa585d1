import { expect, test } from 'vitest';
import { graphOver, runQuantized } from '../../../tests/graph/quantized-graph.ts';
import { runGraph } from '../../../tests/graph/run-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { quantizeTables } from './tables.ts';

const large = { table: [1024, 16] };

test('rows of a large table come back within half a step of each', async () => {
  const folder = tempFolder();
  const graph = graphOver(folder, large, (_g, x) => x, (_name, data) => data.fill(0, 3 * 16, 4 * 16)); // prettier-ignore
  const made = quantizeTables(graph);
  const ids = [[1, 1023, 3], [0]];
  const floats = (await runGraph(graph, folder, ids))['out']!;
  const rows = (await runQuantized(made, folder, ids))['out']!;
  expect(rows.shape).toEqual(floats.shape);
  for (let row = 0; row < 4; row++) {
    const own = floats.values.slice(row * 16, row * 16 + 16);
    const halfStep = Math.max(...own.map(Math.abs)) / 254;
    for (const [i, value] of own.entries())
      expect(Math.abs(rows.values[row * 16 + i]! - value)).toBeLessThanOrEqual(halfStep * 1.001);
  }
  expect(rows.values).not.toEqual(floats.values);
});

test('the table itself is read no more, unless others read it whole', () => {
  const alone = quantizeTables(graphOver(tempFolder(), large, (g, x) => g.op('Neg', [x])));
  expect(alone.graph.initializers.map(({ name }) => name)).toEqual(['table.int8', 'table.scales']);
  const tied = quantizeTables(
    graphOver(tempFolder(), large, (g, x) => g.op('MatMul', [x, g.op('Transpose', [g.weight('table', [1024, 16])])])),
  );
  expect(tied.graph.initializers.map(({ name }) => name)).toContain('table');
});

test('a table that is read twice is made once', () => {
  const { graph, derivations } = quantizeTables(
    graphOver(tempFolder(), large, (g, x, { positionIds }) =>
      g.op('Add', [x, g.op('Gather', [g.weight('table', [1024, 16]), positionIds])]),
    ),
  );
  expect(derivations).toMatchObject([{ kind: 'int8-rows', codes: 'table.int8', scales: 'table.scales' }]);
  expect(graph.nodes.filter(({ op }) => op === 'DequantizeLinear').length).toBe(2);
});

test('small tables, and rows taken of what is computed, stay', () => {
  const small = graphOver(tempFolder(), { table: [1023, 16] }, (g, x) => g.op('Neg', [x]));
  expect(quantizeTables(small)).toEqual({ graph: small, derivations: [] });
  const computed = graphOver(tempFolder(), { table: [1023, 16], other: [1024, 16] }, (g, x, { positionIds }) =>
    g.op('Add', [x, g.op('Gather', [g.op('Neg', [g.weight('other', [1024, 16])]), positionIds])]),
  );
  expect(quantizeTables(computed).derivations).toEqual([]);
});
