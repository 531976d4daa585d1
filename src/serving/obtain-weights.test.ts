import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { graphOver } from '../../tests/graph/quantized-graph.ts';
import { runGraph } from '../../tests/graph/run-graph.ts';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { inProcessWriters } from '../../tests/quantization/writers.ts';
import { toPrecision } from '../graph/precision.ts';
import { linear } from '../graph/layers/linear.ts';
import { obtainWeights, type WeightsQuestion } from './obtain-weights.ts';

let temporary: string;
beforeEach(() => {
  temporary = tempFolder();
  vi.stubEnv('TMPDIR', temporary);
});
afterEach(() => vi.unstubAllEnvs());

const ownFolder = () => join(temporary, `embeddings-${userInfo().uid}`);

/** Weights of one layer, wanted in a folder of the cache. */
function prepare(precision: WeightsQuestion['precision'] = 'int8') {
  const [weightsFolder, cache] = [tempFolder(), tempFolder()];
  const shapes = { table: [10, 32], 'a.weight': [32, 32], 'a.bias': [32] };
  const graph = graphOver(weightsFolder, shapes, (g, x) =>
    linear(g, 'a', g.op('Neg', [x]), { inputs: 32, outputs: 32 }),
  );
  const { writers, openWriter } = inProcessWriters();
  const quantizedFolder = join(cache, 'models--acme--one', 'quantized');
  const obtain = (more: Partial<WeightsQuestion> = {}) =>
    obtainWeights({
      ...toPrecision(graph, precision, 'cpu'),
      weightsFolder,
      precision,
      quantizedFolder,
      processes: 2,
      onProgress: () => {},
      signal: new AbortController().signal,
      openWriter,
      ...more,
    });
  return { graph, weightsFolder, quantizedFolder, obtain, writers };
}

/** A place in which nobody can make a folder, not even root. */
function closedFolder(): string {
  const file = join(tempFolder(), 'file');
  writeFileSync(file, '');
  return join(file, 'quantized');
}

test.each(['float32', 'float16'] as const)(
  '%s is computed from the checkpoint, and nothing is made',
  async (precision) => {
    const { graph, weightsFolder, obtain, writers } = prepare(precision);
    expect(await obtain()).toEqual({ graph, weightsFolder });
    expect(writers).toEqual([]);
  },
);

test('what is made lies in the cache of the model with all else that the graph reads, and is found again', async () => {
  const { graph, weightsFolder, quantizedFolder, obtain, writers } = prepare();
  const weights = await obtain();
  expect(weights.weightsFolder).toBe(quantizedFolder);
  const files = weights.graph.initializers.flatMap(({ data }) => (data.kind === 'checkpoint' ? [data.view.file] : []));
  expect(new Set(files.map(dirname))).toEqual(new Set([quantizedFolder]));
  expect(readdirSync(quantizedFolder)).toEqual([basename(files[0]!)]);
  expect(basename(files[0]!)).toMatch(/^int8-/);
  const [got, floats] = await Promise.all([
    runGraph(weights.graph, weights.weightsFolder, [[1, 2]]),
    runGraph(graph, weightsFolder, [[1, 2]]),
  ]);
  for (const [at, value] of floats['out']!.values.entries()) expect(got['out']!.values[at]).toBeCloseTo(value, 1);
  const started = writers.length;
  expect(await obtain()).toEqual(weights);
  expect(writers.length).toBe(started);
});

test('where the cache cannot be written to, a folder of our own among the temporary files takes it', async () => {
  const { obtain, writers } = prepare();
  const quantizedFolder = closedFolder();
  const weights = await obtain({ quantizedFolder });
  expect(weights.weightsFolder).toBe(ownFolder());
  const started = writers.length;
  expect((await obtain({ quantizedFolder })).weightsFolder).toBe(ownFolder());
  expect(writers.length).toBe(started);
});

test.each<[string, () => void]>([
  ['others may write to', () => (mkdirSync(ownFolder()), chmodSync(ownFolder(), 0o777))],
  ['is a link', () => symlinkSync(tempFolder(), ownFolder())],
  ['is a file', () => writeFileSync(ownFolder(), '')],
])('a temporary folder that %s is not used, and the problem of the cache is told', async (_name, take) => {
  take();
  const { obtain } = prepare();
  const quantizedFolder = closedFolder();
  await expect(obtain({ quantizedFolder })).rejects.toThrow(quantizedFolder);
});

test('an abort is told with its reason', async () => {
  const { obtain } = prepare();
  await expect(obtain({ signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
});
