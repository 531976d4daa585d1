import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { writeSafetensors } from '../../tests/graph/safetensors-file.ts';
import { WeightError } from '../graph/builder.ts';
import { listNodes } from '../graph/list-nodes.ts';
import { WeightFileError } from '../store/file-reader.ts';
import { ConfigFieldError } from './config-fields.ts';
import { openModel, UnknownArchitectureError } from './open-model.ts';

const tiny = (name: string) => fileURLToPath(new URL(`../../tests/goldens/models/tiny/${name}`, import.meta.url));

/** A copy of the tiny BERT whose files a test may spoil. */
function copyOf(name: string): string {
  const folder = join(tempFolder(), 'model');
  cpSync(tiny(name), folder, { recursive: true });
  return folder;
}

function withConfig(changes: Readonly<Record<string, unknown>>): string {
  const folder = copyOf('bert');
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...changes }));
  return folder;
}

test('a folder is understood: architecture, sizes, pooling and one graph with one output', async () => {
  const model = await openModel(tiny('bert'));
  expect(model).toMatchObject({
    architecture: 'bert',
    declaredPooling: 'mean',
    shape: { hidden: 48, layers: 3, maxTokens: 81 },
  });
  const graph = model.compile({ pooling: 'mean', provider: 'cpu' });
  expect(graph.outputs).toEqual([{ name: 'embeddings', dtype: 'float32', shape: ['batch', 48] }]);
  expect(graph.inputs.map(({ name }) => name)).toEqual([
    'input_ids',
    'position_ids',
    'lengths',
    'pad_index',
    'unpad_index',
    'equal_lengths',
    'view_shape',
  ]);
});

test('the names of nodes are paths of the checkpoint and occur once', async () => {
  const names = listNodes((await openModel(tiny('bert'))).compile({ pooling: 'mean', provider: 'cpu' })).map(
    ({ node }) => node.name,
  );
  expect(new Set(names).size).toBe(names.length);
  expect(
    names.filter(
      (name) => !/^(embeddings|embeddings\.\w+|encoder\.layer\.[012]\.[\w.]+|pooling|normalize)(\/|$)/.test(name),
    ),
  ).toEqual([]);
});

test('compiling twice gives equal graphs', async () => {
  const model = await openModel(tiny('bert'));
  const options = { pooling: 'cls', provider: 'cuda' } as const;
  expect(model.compile(options)).toEqual(model.compile(options));
});

test('a checkpoint with a prefix and the names of TensorFlow gives the graph of the plain one', async () => {
  const plain = await openModel(tiny('bert'));
  const folder = copyOf('bert');
  const renamed = [...plain.tensors.values()].map(({ name, shape, file, offset, byteLength }) => {
    const old = name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta');
    return [`bert.${old}`, { shape, data: readFileSync(file).subarray(offset, offset + byteLength) }] as const;
  });
  writeSafetensors(
    folder,
    Object.fromEntries([...renamed, ['cls.predictions.bias', { shape: [1], data: new Float32Array(1) }]]),
  );
  const [expected, got] = [plain, await openModel(folder)].map((model) =>
    model.compile({ pooling: 'mean', provider: 'cpu' }),
  );
  expect(got!.nodes).toEqual(expected!.nodes);
  expect(got!.initializers.map(({ name }) => name)).toEqual(expected!.initializers.map(({ name }) => name));
});

test('weights behind links, as in the Hugging Face cache, are found in the one folder of the blobs', async () => {
  const repository = join(tempFolder(), 'models--acme--one');
  const folder = join(repository, 'snapshots', 'c'.repeat(40));
  const blobs = join(repository, 'blobs');
  mkdirSync(blobs, { recursive: true });
  cpSync(copyOf('bert-sharded'), folder, { recursive: true });
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.safetensors'))) {
    renameSync(join(folder, name), join(blobs, `hash-of-${name}`));
    symlinkSync(join(blobs, `hash-of-${name}`), join(folder, name));
  }
  expect((await openModel(folder)).weightsFolder).toMatch(/\/blobs$/);
});

test('files that are links to outside of the folder are refused', async () => {
  const folder = copyOf('bert');
  renameSync(join(folder, 'model.safetensors'), join(folder, '..', 'mine'));
  symlinkSync(join(folder, '..', 'mine'), join(folder, 'model.safetensors'));
  await expect(openModel(folder)).rejects.toThrow(/own folder .*, model\.safetensors is a link that leads outside/);
});

test('weights spread over folders are refused', async () => {
  const folder = copyOf('bert-sharded');
  const [shard] = readdirSync(folder).filter((file) => file.startsWith('model-00001'));
  mkdirSync(join(folder, 'other'));
  renameSync(join(folder, shard!), join(folder, 'other', shard!));
  symlinkSync(join(folder, 'other', shard!), join(folder, shard!));
  await expect(openModel(folder)).rejects.toThrow(/Expected the weights in one folder/);
});

test('an architecture that is not built is said by its model_type', async () => {
  await expect(openModel(withConfig({ model_type: 'no-model' }))).rejects.toThrow(UnknownArchitectureError);
  await expect(openModel(withConfig({ model_type: 'no-model' }))).rejects.toThrow(/"no-model"/);
});

test('broken files are refused, each by its name', async () => {
  const notJson = copyOf('bert');
  writeFileSync(join(notJson, 'config.json'), '{');
  await expect(openModel(notJson)).rejects.toThrow(ConfigFieldError);
  await expect(openModel(notJson)).rejects.toThrow(/model\/config\.json/);
  await expect(openModel(withConfig({ hidden_size: 'x' }))).rejects.toThrow(/hidden_size/);
  const cutShort = copyOf('bert');
  writeFileSync(
    join(cutShort, 'model.safetensors'),
    readFileSync(join(tiny('bert'), 'model.safetensors')).subarray(0, 5000),
  );
  await expect(openModel(cutShort)).rejects.toThrow(WeightFileError);
});

test('a config that does not fit the tensors is refused when the graph is built, naming the tensor', async () => {
  for (const changes of [
    { hidden_size: 44 },
    { num_hidden_layers: 4 },
    { vocab_size: 299 },
    { max_position_embeddings: 512 },
  ]) {
    const model = await openModel(withConfig(changes));
    expect(() => model.compile({ pooling: 'mean', provider: 'cpu' })).toThrow(WeightError);
    expect(() => model.compile({ pooling: 'mean', provider: 'cpu' })).toThrow(
      /Expected the tensor (embeddings|encoder\.layer\.3)\./,
    );
  }
});

test('integer weights of a quantised checkpoint are refused by name, not taken as numbers', async () => {
  const folder = withConfig({});
  const tensors = (await openModel(folder)).tensors;
  writeSafetensors(
    folder,
    Object.fromEntries(
      [...tensors.values()].map(({ name, shape }) => [
        name,
        { shape, dtype: 'I8', data: new Uint8Array(shape.reduce((a, b) => a * b, 1)) },
      ]),
    ),
  );
  const model = await openModel(folder);
  expect(() => model.compile({ pooling: 'mean', provider: 'cpu' })).toThrow(
    /Expected the tensor embeddings\.word_embeddings\.weight in F32, F16, BF16, F64, got I8/,
  );
});
