import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runGraph } from '../../tests/graph/run-graph.ts';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import {
  floats,
  type OnnxModel,
  type OnnxNode,
  type OnnxPort,
  toPort,
  writeOnnx,
} from '../../tests/graph/write-onnx.ts';
import { OnnxGraphError } from '../graph/onnx-tensor.ts';
import { WeightFileError } from '../store/file-reader.ts';
import { openModel } from './open-model.ts';

const fileTimeoutMs = 30_000; // hundreds of files are written, on a disk that may be busy

const padded = ['batch', 'length'];
const ids: OnnxPort = { name: 'input_ids', type: 7, shape: padded };
const hidden: OnnxPort = { name: 'last_hidden_state', type: 1, shape: [...padded, 2] };
const table = Array.from({ length: 1000 }, (_, row) => [Math.cos(row), Math.sin(row)]); // unit vectors
const gather: OnnxNode = { opType: 'Gather', input: ['table', 'input_ids'], output: ['last_hidden_state'] };
const base: OnnxModel = {
  inputs: [ids],
  outputs: [hidden],
  nodes: [gather],
  tensors: [floats('table', [1000, 2], table.flat())],
};

function open(changes: Partial<OnnxModel> = {}, file = 'model.onnx', config: object = {}) {
  const folder = tempFolder();
  writeOnnx(folder, { ...base, ...changes }, file, config);
  return openModel(folder);
}

async function vectorsOf(changes: Partial<OnnxModel>, sequences: readonly (readonly number[])[]) {
  const model = await open(changes);
  const graph = model.compile({ pooling: 'mean', provider: 'cpu' });
  const { embeddings } = await runGraph(graph, model.weightsFolder, sequences);
  return sequences.map((_, row) => embeddings!.values.slice(2 * row, 2 * row + 2));
}

/** The unit vector of the mean of rows of the table. */
function meanOf(rows: readonly number[]): number[] {
  const [x, y] = [0, 1].map((axis) => rows.reduce((sum, row) => sum + table[row]![axis]!, 0));
  return [x! / Math.hypot(x!, y!), y! / Math.hypot(x!, y!)];
}

const ragged = [[1, 2, 3], [7], [4, 5, 6, 7, 8], [7]];

function expectClose(got: readonly number[][], wanted: readonly number[][]): void {
  expect(got).toHaveLength(wanted.length);
  for (const [row, vector] of wanted.entries())
    for (const [axis, value] of vector.entries()) expect(got[row]![axis]).toBeCloseTo(value, 6);
}

test.each([11, 12, 13, 17, 18, 21])(
  'version %d of ONNX: sequences of any lengths are padded and packed again',
  async (opset) => {
    expectClose(await vectorsOf({ opset }, ragged), ragged.map(meanOf));
    expectClose(await vectorsOf({ opset }, [[1, 2]]), [meanOf([1, 2])]);
  },
);

test('the mask is 1 on real tokens, in the type the file wants; token types are 0; positions count from 0', async () => {
  for (const type of [7, 6, 1, 9]) {
    const inputs = [
      ids,
      { name: 'attention_mask', type, shape: padded },
      { name: 'token_type_ids', type: 7, shape: padded },
    ];
    const nodes: OnnxNode[] = [
      { opType: 'Cast', input: ['attention_mask'], output: ['m'], attribute: [{ name: 'to', type: 2, i: 7n }] },
      { opType: 'ReduceSum', input: ['m', 'one'], output: ['length'] },
      { opType: 'Add', input: ['length', 'position_ids'], output: ['place'] },
      { opType: 'Add', input: ['place', 'token_type_ids'], output: ['sum'] },
      { opType: 'Mul', input: ['sum', 'm'], output: ['masked'] },
      { opType: 'Gather', input: ['table', 'masked'], output: ['last_hidden_state'] },
    ];
    const tensors = [...base.tensors!, { name: 'one', dataType: 7, dims: [1n], int64Data: [1n] }];
    const positions = { name: 'position_ids', type: 7, shape: padded };
    const got = await vectorsOf({ inputs: [...inputs, positions], nodes, tensors }, ragged);
    expectClose(
      got,
      ragged.map(({ length }) => meanOf(Array.from({ length }, (_, at) => length + at))),
    );
  }
});

test('a file that only gives whole vectors has its own pooling, whatever ours is', async () => {
  const first: OnnxNode = {
    opType: 'Gather',
    input: ['input_ids', 'zero'],
    output: ['first'],
    attribute: [{ name: 'axis', type: 2, i: 1n }],
  };
  const changes: Partial<OnnxModel> = {
    outputs: [{ name: 'sentence_embedding', type: 1, shape: ['batch', 2] }],
    nodes: [first, { opType: 'Gather', input: ['table', 'first'], output: ['sentence_embedding'] }],
    tensors: [...base.tensors!, { name: 'zero', dataType: 7, int64Data: [0n] }],
  };
  expect((await open(changes)).architecture).toBe('unheard-of (model.onnx, pooled by the file)');
  expectClose(
    await vectorsOf(changes, ragged),
    ragged.map(([id]) => table[id!]!),
  );
});

test('branches, operators of the file, float16 vectors and names like ours are run as they stand', async () => {
  const port = toPort({ name: 'turned', type: 1, shape: [...padded, 2] });
  const branch = (name: string, opType: string) => ({
    name,
    output: [{ ...port, name: `${name}_out` }],
    node: [{ opType, input: ['pad_index'], output: [`${name}_out`] }],
  });
  const nodes: OnnxNode[] = [
    { opType: 'Gather', input: ['table', 'input_ids'], output: ['pad_index'] },
    {
      opType: 'If',
      input: ['yes'],
      output: ['chosen'],
      attribute: [
        { name: 'then_branch', type: 5, g: branch('then', 'Neg') },
        { name: 'else_branch', type: 5, g: branch('else', 'Identity') },
      ],
    },
    { opType: 'Twice', domain: 'own', input: ['chosen'], output: ['doubled'] },
    { opType: 'Cast', input: ['doubled'], output: ['last_hidden_state'], attribute: [{ name: 'to', type: 2, i: 10n }] },
  ];
  const functions = [
    {
      name: 'Twice',
      domain: 'own',
      input: ['a'],
      output: ['b'],
      node: [{ opType: 'Add', input: ['a', 'a'], output: ['b'] }],
      opsetImport: [{ domain: '', version: 17n }],
    },
  ];
  const tensors = [...base.tensors!, { name: 'yes', dataType: 9, int32Data: [1] }];
  const got = await vectorsOf(
    { nodes, tensors, outputs: [{ ...hidden, type: 10 }], more: { functions: functions as never, opsets: { own: 1 } } }, // plain data of that message
    ragged,
  );
  for (const [row, vector] of ragged.map(meanOf).entries())
    for (const [axis, value] of vector.entries()) expect(got[row]![axis]).toBeCloseTo(-value, 3);
});

test('weights stay in their file; the shape is that of config.json and of the output', async () => {
  const model = await open({}, 'onnx/model.onnx');
  expect(model.architecture).toBe('unheard-of (onnx/model.onnx)');
  expect(model.weightsFolder).toMatch(/\/onnx$/);
  expect(model.shape).toEqual({ hidden: 2, layers: 1, vocabulary: 10, maxTokens: 64, positions: { first: 0 } });
  expect([...model.tensors.keys()]).toEqual(['table']);
  const known = {
    model_type: 'bert',
    hidden_size: 4,
    num_hidden_layers: 3,
    num_attention_heads: 2,
    intermediate_size: 4,
  };
  expect((await open({}, 'model.onnx', known)).shape).toMatchObject({
    hidden: 2,
    layers: 3,
    vocabulary: 10,
    maxTokens: 64,
  });
});

const dynamic: OnnxNode = { opType: 'DynamicQuantizeLinear', input: ['x'], output: ['a', 'b', 'c'] };

test.each<[string, Partial<OnnxModel>, RegExp]>([
  [
    'an input we cannot give',
    { inputs: [ids, { name: 'past_key_values.0.key', type: 1, shape: padded }] },
    /got "past_key_values\.0\.key"/,
  ],
  ['an input named like a property of objects', { inputs: [{ ...ids, name: 'constructor' }] }, /got "constructor"/],
  ['a fixed batch', { inputs: [{ ...ids, shape: [1, 128] }] }, /got \[1, 128\].*dynamic axes/],
  ['logits alone', { outputs: [{ name: 'logits', type: 1, shape: ['batch', 2] }] }, /got logits \[batch, 2\]/],
  [
    'no output of floats',
    { outputs: [{ ...hidden, type: 7 }] },
    /last_hidden_state, token_embeddings or sentence_embedding/,
  ],
  ['an old version', { opset: 10 }, /version 11 of ONNX or later in model\.onnx, got 10/],
  ['one scale for the whole batch', { nodes: [gather, dynamic] }, /DynamicQuantizeLinear/],
  [
    'one in a function',
    { nodes: [gather], more: { functions: [{ name: 'F', domain: 'own', node: [dynamic] }] as never } }, // plain data of that message
    /DynamicQuantizeLinear/,
  ],
])('a file with %s is refused', async (_, changes, message) => {
  await expect(open(changes)).rejects.toThrow(message);
});

test('a file that is no ONNX and a config.json without a vocabulary are refused by name', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'model.onnx'), 'no graph');
  writeFileSync(join(folder, 'config.json'), '{}');
  await expect(openModel(folder)).rejects.toThrow(/model\.onnx/);
  await expect(open({}, 'model.onnx', { vocab_size: 'x' })).rejects.toThrow(/vocab_size/);
});

test(
  'any change or cut of a file gives an error of its own kind or a graph',
  async () => {
    const golden = fileURLToPath(new URL('../../tests/goldens/models/weights/onnx', import.meta.url));
    const folder = join(tempFolder(), 'model');
    cpSync(golden, folder, { recursive: true });
    const file = join(folder, 'onnx', 'model.onnx');
    const original = readFileSync(file);
    const nodesEnd = 30_000; // what follows are numbers
    const change = fc.record({ at: fc.nat({ max: nodesEnd }), byte: fc.integer({ min: 0, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat({ max: 1 }), async (changes, isCut) => {
        const bytes = Buffer.from(original);
        for (const { at, byte } of changes) bytes[at] = byte;
        writeFileSync(file, isCut === 1 ? bytes.subarray(0, changes[0]!.at) : bytes);
        try {
          (await openModel(folder)).compile({ pooling: 'mean', provider: 'cpu' });
        } catch (error) {
          expect([WeightFileError, OnnxGraphError]).toContain((error as Error).constructor);
        }
      }),
      { numRuns: 60 },
    );
  },
  fileTimeoutMs,
);
