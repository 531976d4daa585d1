import { expect, test } from 'vitest';
import { randomRows } from '../../../tests/graph/reference-attention.ts';
import { maxDifference, runGraph } from '../../../tests/graph/run-graph.ts';
import { writeSafetensors } from '../../../tests/graph/safetensors-file.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { readTensorIndex } from '../../store/safetensors.ts';
import { GraphBuilder } from '../builder.ts';
import { declarePackedInputs } from '../packed-inputs.ts';
import { experts } from './experts.ts';

const [count, hidden, intermediate] = [5, 6, 7];
const all = randomRows(30 + count + 2 * count * intermediate + 1, hidden);
const [table, router] = [all.slice(0, 30), all.slice(30, 30 + count)];
const [w1, w2] = [0, 1].map((k) => all.slice(35 + k * count * intermediate, 35 + (k + 1) * count * intermediate));
const bias = all.at(-1)!;

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Plain loops with relu. */
function reference(x: readonly number[], chosen: number): readonly number[] {
  const logits = router.map((row) => dot(row, x));
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  const shares = logits.map((logit) => Math.exp(logit) / total);
  const best = shares
    .map((_, expert) => expert)
    .toSorted((a, b) => shares[b]! - shares[a]!)
    .slice(0, chosen);
  const out = [...bias];
  for (const expert of best) {
    for (let row = expert * intermediate; row < (expert + 1) * intermediate; row++) {
      const active = Math.max(0, dot(w1![row]!, x));
      for (let column = 0; column < hidden; column++) out[column]! += shares[expert]! * active * w2![row]![column]!;
    }
  }
  return out;
}

async function run(ids: readonly (readonly number[])[], chosen: number) {
  const folder = tempFolder();
  const tensor = (rows: readonly (readonly number[])[]) => ({
    shape: [rows.length, hidden],
    data: Float32Array.from(rows.flat()),
  });
  writeSafetensors(folder, {
    table: tensor(table),
    'mlp.router.layer.weight': tensor(router),
    'mlp.experts.mlp.w1': tensor(w1!),
    'mlp.experts.mlp.w2': tensor(w2!),
    'mlp.experts.bias': { shape: [hidden], data: Float32Array.from(bias) },
  });
  const g = new GraphBuilder(readTensorIndex(folder));
  const { inputIds } = declarePackedInputs(g);
  const x = g.op('Gather', [g.weight('table', [table.length, hidden]), inputIds]);
  const value = experts(g, 'mlp', x, { experts: count, chosen, hidden, intermediate, activation: 'relu' });
  return (await runGraph(g.finish('test', [{ name: 'out', value }]), folder, ids))['out']!;
}

test.each([1, 2, 5])(
  'each token gets the sum of its %i best experts by their share, and the bias once',
  async (chosen) => {
    for (const ids of [[[3]], [table.map((_, id) => id)], [[1, 2, 3], [7]], [[4, 4, 4, 4]]]) {
      const { shape, values } = await run(ids, chosen);
      expect(shape).toEqual([ids.flat().length, hidden]);
      const expected = ids.flat().flatMap((id) => reference(table[id]!, chosen));
      expect(maxDifference(values, expected)).toBeLessThanOrEqual(2e-5 * Math.max(...expected.map(Math.abs)));
    }
  },
);
