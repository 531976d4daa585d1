import { expect, test } from 'vitest';
import { folderOf } from '../../tests/graph/model-folder.ts';
import { maxDifference, runGraph } from '../../tests/graph/run-graph.ts';
import { type FileTensor, writeSafetensors } from '../../tests/graph/safetensors-file.ts';
import { WeightError } from '../graph/builder.ts';
import { ConfigFieldError } from './config-fields.ts';
import { openModel, UnknownArchitectureError } from './open-model.ts';

const floats = (shape: readonly number[], ...values: readonly number[]): FileTensor => ({
  shape,
  data: Float32Array.from(values),
});
const bytes = (dtype: string, shape: readonly number[], data: ArrayBufferView): FileTensor => ({
  shape,
  dtype,
  data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
});
const table = floats([3, 2], 1, 2, 3, 4, 5, -6);

function open(tensors: Readonly<Record<string, FileTensor>>, files: Readonly<Record<string, unknown>> = {}) {
  const folder = folderOf({ 'config.json': { model_type: 'model2vec' }, ...files });
  writeSafetensors(folder, tensors);
  return openModel(folder);
}

async function vectorsOf(tensors: Readonly<Record<string, FileTensor>>, ids: readonly (readonly number[])[]) {
  const model = await open(tensors);
  const graph = model.compile({ pooling: 'mean', provider: 'cpu' });
  return (await runGraph(graph, model.weightsFolder, ids))['embeddings']!.values;
}

const unit = (...x: readonly number[]) => x.map((value) => value / Math.hypot(...x));

test('a text is the mean of its rows, in either naming and alone or among others', async () => {
  const expected = [...unit(4, -1), ...unit(1, 2), ...unit(9, 0)];
  for (const name of ['embeddings', 'embedding.weight'])
    expect(maxDifference(await vectorsOf({ [name]: table }, [[1, 2], [0], [0, 1, 2]]), expected)).toBeLessThanOrEqual(
      1e-6,
    );
});

test('a mapping gives tokens their rows, and weights scale them', async () => {
  const mapping = bytes('I64', [5], BigInt64Array.of(2n, 0n, 0n, 1n, 2n));
  const weights = bytes('F64', [5], Float64Array.of(1, 2, 0.5, 1, -3));
  const got = await vectorsOf({ embeddings: table, mapping, weights }, [[1, 2], [4, 0], [3]]);
  expect(maxDifference(got, [...unit(1, 2), ...unit(-5, 6), ...unit(3, 4)])).toBeLessThanOrEqual(1e-6);
  expect((await open({ embeddings: table, mapping })).shape.vocabulary).toBe(5);
});

test('whole numbers of a quantised table are taken as they stand', async () => {
  const embeddings = bytes('I8', [2, 2], Int8Array.of(3, -4, 0, 100));
  expect(maxDifference(await vectorsOf({ embeddings }, [[0]]), unit(3, -4))).toBeLessThanOrEqual(1e-6);
});

test('sizes come from the table; texts get no special tokens, and unknown ones stay where sentence-transformers reads the files', async () => {
  const model2vec = await open({ embeddings: table });
  expect(model2vec).toMatchObject({
    architecture: 'static-embedding',
    shape: { hidden: 2, layers: 0, vocabulary: 3, tokens: { special: false, unknown: false } },
  });
  const modules = { 'modules.json': [{ type: 'sentence_transformers.models.StaticEmbedding', path: '' }] };
  for (const name of ['embeddings', 'embedding.weight'])
    expect((await open({ [name]: table }, modules)).shape.tokens).toEqual({ special: false, unknown: true });
});

test('a module StaticEmbedding decides, whatever config.json is about, or where there is none', async () => {
  const modules = { 'modules.json': [{ type: 'sentence_transformers.models.StaticEmbedding', path: '' }] };
  for (const json of [{ model_type: 'bert', hidden_size: 384 }, {}])
    expect((await open({ 'embedding.weight': table }, { ...modules, 'config.json': json })).architecture).toBe(
      'static-embedding',
    );
  const folder = folderOf(modules);
  writeSafetensors(folder, { 'embedding.weight': table });
  expect((await openModel(folder)).architecture).toBe('static-embedding');
});

test('what is no table, or no number format for one, is refused by name', async () => {
  await expect(open({ embeddings: floats([3], 1, 2, 3) })).rejects.toThrow(ConfigFieldError);
  await expect(open({ rows: table })).rejects.toThrow(UnknownArchitectureError);
  const mapping = await open({ embeddings: table, mapping: floats([3], 0, 1, 2) });
  expect(() => mapping.compile({ pooling: 'mean', provider: 'cpu' })).toThrow(WeightError);
  expect(() => mapping.compile({ pooling: 'mean', provider: 'cpu' })).toThrow(/mapping in I64, I32, got F32/);
});
