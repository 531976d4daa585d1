import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { maxDifference, runGraph } from '../../../tests/graph/run-graph.ts';
import { writeSafetensors } from '../../../tests/graph/safetensors-file.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { GraphBuilder, WeightError } from '../../graph/builder.ts';
import { declarePackedInputs } from '../../graph/packed-inputs.ts';
import { readTensorIndex } from '../../store/safetensors.ts';
import { buildPipeline } from './build-pipeline.ts';
import { type DenseActivation, denseActivations, toDenseActivation } from './dense-activations.ts';
import { readModuleWeights } from './module-weights.ts';
import { type Pipeline, plainPipeline, type Step } from './pipeline.ts';

type Vector = readonly number[];

const rows: readonly Vector[] = Array.from({ length: 7 }, (_, row) => [Math.sin(3 * row + 1), row - 3, 1 / (row + 1)]);
const ids = [[0, 1, 2], [3], [4, 5]];

/** Weights of one dense step, `[outputs][inputs]`. */
const weight = [
  [0.5, -1, 2],
  [1, 0.25, -0.5],
];
const bias = [0.1, -0.3];
const residual = [
  [1, 0, 1],
  [0, 2, 0],
];

function dense(changes: Partial<Extract<Step, { kind: 'dense' }>> = {}): Step {
  return {
    kind: 'dense',
    path: '2_Dense',
    inputs: 3,
    outputs: 2,
    bias: true,
    activation: 'Identity',
    isResidual: false,
    ...changes,
  };
}

async function run(pipeline: Pipeline): Promise<{ shape: Vector; values: Vector }> {
  const folder = tempFolder();
  const matrix = (values: readonly Vector[]) => ({
    shape: [values.length, values[0]!.length],
    data: Float32Array.from(values.flat()),
  });
  const vector = (values: Vector) => ({ shape: [values.length], data: Float32Array.from(values) });
  writeSafetensors(folder, { table: matrix(rows) });
  for (const path of ['2_Dense', '3_LayerNorm']) mkdirSync(join(folder, path));
  writeSafetensors(join(folder, '2_Dense'), {
    'linear.weight': matrix(weight),
    'linear.bias': vector(bias),
    'residual.weight': matrix(residual),
  });
  writeSafetensors(join(folder, '3_LayerNorm'), {
    'norm.weight': vector([1, 2, 0.5]),
    'norm.bias': vector([0.1, 0, -1]),
  });
  const g = new GraphBuilder(new Map([...readTensorIndex(folder), ...readModuleWeights(folder, pipeline)]));
  const inputs = declarePackedInputs(g);
  const hidden = g.op('Gather', [g.weight('table', [7, 3]), inputs.inputIds]);
  const graph = g.finish('test', [{ name: 'out', value: buildPipeline(g, pipeline, hidden, inputs) }]);
  return (await runGraph(graph, folder, ids))['out']!;
}

const times = (x: Vector, matrix: readonly Vector[]) =>
  matrix.map((row) => row.reduce((sum, w, i) => sum + w * x[i]!, 0));
const unit = (x: Vector) => x.map((value) => value / Math.hypot(...x));
const first = ids.map(([id]) => rows[id!]!); // cls

/** Cancels in every test what normalisation does at the end. */
const expectUnit = (values: Vector, expected: readonly Vector[]) =>
  expect(maxDifference(values, expected.flatMap(unit))).toBeLessThanOrEqual(1e-6);

const reference: Readonly<Record<DenseActivation, (x: number) => number>> = {
  Identity: (x) => x,
  Tanh: Math.tanh,
  GELU: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2,
  ReLU: (x) => Math.max(0, x),
  SiLU: (x) => x / (1 + Math.exp(-x)),
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  ELU: (x) => (x > 0 ? x : Math.expm1(x)),
  LeakyReLU: (x) => (x > 0 ? x : 0.01 * x),
  Softplus: (x) => Math.log1p(Math.exp(x)),
  Mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
};

test.each(Object.keys(denseActivations) as DenseActivation[])(
  'a dense step ends in %s as torch.nn defines it',
  async (activation) => {
    const { shape, values } = await run({
      ...plainPipeline('cls', 2),
      steps: [dense({ activation, isResidual: true })],
    });
    expect(shape).toEqual([3, 2]);
    const act = reference[activation];
    const expected = first.map((x) =>
      times(x, weight).map((value, i) => act(value + bias[i]!) + times(x, residual)[i]!),
    );
    expectUnit(values, expected);
  },
);

test('a class of torch.nn is an activation by its last part; anything else is none', () => {
  expect(toDenseActivation('torch.nn.modules.linear.Identity')).toBe('Identity');
  expect(toDenseActivation('torch.nn.modules.activation.Tanh')).toBe('Tanh');
  expect(['Tanh', 'my.Tanh', 'torch.nn.Hardtanh', 'torch.valueOf', ''].map(toDenseActivation)).toEqual(
    Array(5).fill(undefined),
  );
});

test('a dense step works without a bias, and on every token before pooling', async () => {
  const pipeline = { ...plainPipeline('mean', 2), tokenSteps: [dense({ bias: false, activation: 'ReLU' })] };
  const expected = ids.map((sequence) => {
    const vectors = sequence.map((id) => times(rows[id]!, weight).map((value) => Math.max(0, value)));
    return [0, 1].map((column) => vectors.reduce((sum, vector) => sum + vector[column]!, 0));
  });
  expectUnit((await run(pipeline)).values, expected);
});

test('layer normalisation takes its weights, with the epsilon of torch', async () => {
  const pipeline: Pipeline = {
    ...plainPipeline('cls', 3),
    steps: [{ kind: 'layer-norm', path: '3_LayerNorm', size: 3 }],
  };
  const expected = first.map((x) => {
    const mean = x.reduce((sum, value) => sum + value, 0) / 3;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3;
    return x.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-5)) * [1, 2, 0.5][i]! + [0.1, 0, -1][i]!);
  });
  expectUnit((await run(pipeline)).values, expected);
});

test('a normalisation between steps counts, and truncation comes before the last', async () => {
  const steps: Step[] = [{ kind: 'normalize' }, dense({ activation: 'Tanh' })];
  const expected = first.map((x) => times(unit(x), weight).map((value, i) => Math.tanh(value + bias[i]!)));
  expectUnit((await run({ ...plainPipeline('cls', 2), steps })).values, expected);
  const cut = await run({ ...plainPipeline('cls', 3), dimensions: 2, isTruncated: true });
  expect(cut.shape).toEqual([3, 2]);
  expectUnit(
    cut.values,
    first.map((x) => x.slice(0, 2)),
  );
});

test('weights of another shape are refused by the name of their step', async () => {
  await expect(run({ ...plainPipeline('cls', 5), steps: [dense({ outputs: 5 })] })).rejects.toThrow(WeightError);
  await expect(run({ ...plainPipeline('cls', 5), steps: [dense({ outputs: 5 })] })).rejects.toThrow(
    /2_Dense\.linear\.weight/,
  );
});

/** Abramowitz and Stegun 7.1.5, the series; exact enough for small x. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
