import { expect, test } from 'vitest';
import { randomRows } from '../../../tests/graph/reference-attention.ts';
import { maxDifference, runGraph } from '../../../tests/graph/run-graph.ts';
import { writeSafetensors } from '../../../tests/graph/safetensors-file.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { readTensorIndex } from '../../store/safetensors.ts';
import { GraphBuilder, type Value, WeightError } from '../builder.ts';
import { declarePackedInputs } from '../packed-inputs.ts';
import { type Adapter, lowRankEmbedding, lowRankLinear } from './low-rank.ts';

const [count, rank, inputs, outputs, rows] = [3, 2, 4, 6, 9];
const matrix = (height: number, width: number, from: number) => randomRows(from + height, width).slice(from);
const tensors = {
  table: matrix(rows, inputs, 0),
  'table.A': matrix(count * rows, rank, 3),
  'table.B': matrix(count * rank, inputs, 5),
  layer: matrix(outputs, inputs, 7),
  'layer.A': matrix(count * rank, inputs, 11),
  'layer.B': matrix(count * outputs, rank, 13),
  bias: matrix(1, outputs, 17),
};
const adapter: Adapter = { count, index: 1, rank, scale: 0.75 };
const tokens = [0, 4, 8, 4];

/** `scale A B` of one adapter, in plain loops. */
function product(a: readonly (readonly number[])[], b: readonly (readonly number[])[], { scale }: Adapter) {
  return a.map((row) =>
    b[0]!.map((_, column) => scale * row.reduce((sum, value, k) => sum + value * b[k]![column]!, 0)),
  );
}
const own = (stack: readonly (readonly number[])[], size: number, { index }: Adapter) =>
  stack.slice(index * size, (index + 1) * size);

async function run(body: (g: GraphBuilder, ids: Value) => Value): Promise<readonly number[]> {
  const folder = tempFolder();
  const stored = (shape: readonly number[], name: keyof typeof tensors) => ({
    shape,
    data: Float32Array.from(tensors[name].flat()),
  });
  writeSafetensors(folder, {
    'table.weight': stored([rows, inputs], 'table'),
    'table.lora_A': stored([count, rows, rank], 'table.A'),
    'table.lora_B': stored([count, rank, inputs], 'table.B'),
    'layer.weight': stored([outputs, inputs], 'layer'),
    'layer.lora_A': stored([count, rank, inputs], 'layer.A'),
    'layer.lora_B': stored([count, outputs, rank], 'layer.B'),
    'layer.bias': stored([outputs], 'bias'),
  });
  const g = new GraphBuilder(readTensorIndex(folder));
  const { inputIds } = declarePackedInputs(g);
  const graph = g.finish('test', [{ name: 'out', value: body(g, inputIds) }]);
  return (await runGraph(graph, folder, [tokens]))['out']!.values;
}

test.each([undefined, 0, 2])('a table with adapter %j gives the rows of W + scale A B', async (index) => {
  const chosen = index === undefined ? undefined : { ...adapter, index };
  const values = await run((g, ids) => lowRankEmbedding(g, 'table', ids, { rows, size: inputs }, chosen));
  const delta = chosen && product(own(tensors['table.A'], rows, chosen), own(tensors['table.B'], rank, chosen), chosen);
  const expected = tokens.flatMap((id) =>
    tensors.table[id]!.map((value, column) => value + (delta?.[id]![column] ?? 0)),
  );
  expect(maxDifference(values, expected)).toBeLessThanOrEqual(1e-5);
});

test.each([undefined, { from: 2, rows: 3 }])('a layer, or its part %j, is x (W + scale B A)^T + b', async (part) => {
  const sizes = { inputs, outputs, ...(part === undefined ? {} : { part }) };
  const values = await run((g, ids) => {
    const x = g.op('Gather', [g.weight('table.weight', [rows, inputs]), ids]);
    return lowRankLinear(g, 'layer', x, sizes, adapter);
  });
  const delta = product(own(tensors['layer.B'], outputs, adapter), own(tensors['layer.A'], rank, adapter), adapter);
  const merged = tensors.layer.map((row, o) => row.map((value, column) => value + delta[o]![column]!));
  const { from, rows: height } = part ?? { from: 0, rows: outputs };
  const expected = tokens.flatMap((id) =>
    merged
      .slice(from, from + height)
      .map((row, o) =>
        row.reduce((sum, value, k) => sum + value * tensors.table[id]![k]!, tensors.bias[0]![from + o]!),
      ),
  );
  expect(maxDifference(values, expected)).toBeLessThanOrEqual(1e-4);
});

test('a checkpoint without the adapter is refused, naming the tensor', async () => {
  await expect(
    run((g, ids) => lowRankEmbedding(g, 'table', ids, { rows, size: inputs }, { ...adapter, count: 4 })),
  ).rejects.toThrow(WeightError);
});
