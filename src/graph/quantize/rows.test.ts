import { expect, test } from 'vitest';
import { graphOver } from '../../../tests/graph/quantized-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import type { GraphBuilder, Value } from '../builder.ts';
import { layerNorm } from '../layers/layer-norm.ts';
import { linear } from '../layers/linear.ts';
import { rmsNorm } from '../layers/rms-norm.ts';
import { Constants, findLinears } from './linears.ts';
import { planRows } from './rows.ts';

const size = 32;
const shapes = {
  table: [10, size],
  'a.weight': [48, size],
  'b.weight': [40, size],
  'norm.weight': [size],
  'norm.bias': [size],
};

function plan(before: (g: GraphBuilder, x: Value) => Value) {
  const graph = graphOver(tempFolder(), shapes, (g, x) => {
    const value = before(g, x);
    const layers = [linear(g, 'a', value, { inputs: size, outputs: 48, bias: false }), linear(g, 'b', value, { inputs: size, outputs: 40, bias: false })]; // prettier-ignore
    return g.op('Concat', layers, { attributes: { axis: { kind: 'int', value: 1 } } });
  });
  return planRows(findLinears(graph), new Constants(graph));
}

test('layers behind a norm are smoothed by its gain and its shift', () => {
  const { smoothing, linears } = plan((g, x) => layerNorm(g, 'norm', x, { size, epsilon: 1e-5 }));
  expect(smoothing).toMatchObject({ gain: { name: 'norm.weight' }, shift: { name: 'norm.bias' } });
  expect(linears.map(({ from }) => from.name)).toEqual(['a.weight', 'b.weight']);
});

test('a norm without shift has a gain only', () => {
  const { smoothing } = plan((g, x) => rmsNorm(g, 'norm', x, { size, epsilon: 1e-5 }));
  expect(smoothing?.gain.name).toBe('norm.weight');
  expect(smoothing).not.toHaveProperty('shift');
});

test('behind anything else nothing is smoothed', () => {
  expect(plan((g, x) => g.op('Tanh', [x]))).not.toHaveProperty('smoothing');
});
