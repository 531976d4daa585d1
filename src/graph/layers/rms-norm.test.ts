import { expect, test } from 'vitest';
import { randomRows } from '../../../tests/graph/reference-attention.ts';
import { maxDifference, runGraph } from '../../../tests/graph/run-graph.ts';
import { writeSafetensors } from '../../../tests/graph/safetensors-file.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { readTensorIndex } from '../../store/safetensors.ts';
import { GraphBuilder } from '../builder.ts';
import { declarePackedInputs } from '../packed-inputs.ts';
import { headRmsNorm, rmsNorm } from './rms-norm.ts';

const rows = randomRows(6, 8);
const weight = [0.5, -1, 2, 1];

function reference(row: readonly number[], isOffset: boolean): readonly number[] {
  const rms = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / row.length + 1e-3);
  return row.map((x, column) => (x / rms) * (weight[column % 4]! + Number(isOffset)));
}

test.each([false, true])('RMSNorm of rows and of heads, weight offset by one: %s', async (isOffset) => {
  const folder = tempFolder();
  writeSafetensors(folder, {
    table: { shape: [6, 8], data: Float32Array.from(rows.flat()) },
    'norm.weight': { shape: [4], data: Float32Array.from(weight) },
  });
  const g = new GraphBuilder(readTensorIndex(folder));
  const { inputIds } = declarePackedInputs(g);
  const x = g.op('Gather', [g.weight('table', [6, 8]), inputIds]);
  const byHead = headRmsNorm(g, 'norm', x, { heads: 2, size: 4, epsilon: 1e-3, isOffset });
  const halves = g.op('Reshape', [x, g.int64(-1, 4)]);
  const byRow = rmsNorm(g, 'norm', halves, { size: 4, epsilon: 1e-3, isOffset });
  const graph = g.finish('test', [
    { name: 'byHead', value: byHead },
    { name: 'byRow', value: byRow },
  ]);
  const outputs = await runGraph(graph, folder, [
    [0, 1, 2],
    [3, 4, 5],
  ]);
  const expected = rows.flatMap((row) => [row.slice(0, 4), row.slice(4)].flatMap((head) => reference(head, isOffset)));
  for (const name of ['byHead', 'byRow'])
    expect(maxDifference(outputs[name]!.values, expected)).toBeLessThanOrEqual(1e-5);
  expect(outputs['byHead']!.shape).toEqual([6, 8]);
});
