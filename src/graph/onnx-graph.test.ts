import { deserialize, serialize as clone } from 'node:v8';
import { fromBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { floats, type OnnxModel, type OnnxNode, type OnnxTensor, toOnnx } from '../../tests/graph/write-onnx.ts';
import type { TensorView } from '../store/safetensors.ts';
import type { Graph } from './graph.ts';
import { parseOnnxGraph } from './onnx-graph.ts';
import { OnnxGraphError } from './onnx-tensor.ts';
import { ModelProtoSchema } from './proto/onnx-ml_pb.js';
import { serialize } from './serialize.ts';

const x = { name: 'x', type: 1, shape: ['batch', 3] };
const base: OnnxModel = { inputs: [x], outputs: [{ ...x, name: 'y' }], nodes: [], tensors: [] };
const parse = (changes: Partial<OnnxModel>, weights: readonly TensorView[] = []) =>
  parseOnnxGraph(toOnnx({ ...base, ...changes }), new Map(weights.map((view) => [view.name, view])));

test('ports, nodes, constants and versions come out as data', () => {
  const graph = parse({
    nodes: [
      { opType: 'Scale', input: ['x', '', 'w'], output: ['y'], name: 'n', domain: 'ai.onnx' },
      { opType: 'Nameless', input: ['x'], output: ['z'] },
    ],
    tensors: [floats('w', [2], [1, 2])],
    opset: 14,
    irVersion: 7,
  });
  expect(graph.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['batch', 3] }]);
  expect(graph.nodes[0]).toEqual({
    name: 'n',
    op: 'Scale',
    domain: '',
    inputs: ['x', '', 'w'],
    outputs: ['y'],
    attributes: {},
  });
  expect(graph.nodes[1]?.name).toBe('z');
  expect(graph.format).toEqual({ irVersion: 7, opsets: { '': 14 }, functions: [] });
});

test('initialisers that old files list as inputs too are no inputs', () => {
  const view = { name: 'v', type: 'F16', shape: [2], file: '/f', offset: 0, byteLength: 4 } as const;
  const ports = ['w', 'v'].map((name) => ({ name, type: 1, shape: [2] }));
  const graph = parse({ inputs: [x, ...ports], tensors: [floats('w', [2], [1, 2])] }, [view]);
  expect(graph.inputs.map(({ name }) => name)).toEqual(['x']);
  expect(graph.initializers[1]).toEqual({
    name: 'v',
    dtype: 'float16',
    shape: [2],
    data: { kind: 'checkpoint', view },
  });
});

test('every kind of attribute is read, branches with their own nodes too', () => {
  const branch = { name: 'then', output: [], node: [{ opType: 'Neg', input: ['x'], output: ['b'] }] };
  const attribute: OnnxNode['attribute'] = [
    { name: 'f', type: 1, f: 0.5 },
    { name: 'i', type: 2, i: 2n ** 63n - 1n },
    { name: 's', type: 3, s: Buffer.from('é') },
    { name: 't', type: 4, t: { dataType: 7, dims: [1n], int64Data: [5n] } },
    { name: 'g', type: 5, g: branch },
    { name: 'fs', type: 6, floats: [0.5, 2] },
    { name: 'is', type: 7, ints: [-1n, 2n] },
    { name: 'ss', type: 8, strings: [Buffer.from('a')] },
  ];
  const { attributes } = parse({ nodes: [{ opType: 'All', attribute }] }).nodes[0]!;
  expect(attributes).toMatchObject({
    f: { kind: 'float', value: 0.5 },
    i: { kind: 'int', value: Number.MAX_SAFE_INTEGER },
    s: { kind: 'string', value: 'é' },
    t: { kind: 'tensor', value: { dtype: 'int64', shape: [1] } },
    g: { kind: 'graph', value: { name: 'then', nodes: [{ op: 'Neg', inputs: ['x'] }] } },
    fs: { kind: 'floats', value: [0.5, 2] },
    is: { kind: 'ints', value: [-1, 2] },
    ss: { kind: 'strings', value: ['a'] },
  });
});

test.each<[string, OnnxTensor, readonly number[]]>([
  ['floatData', { dataType: 1, dims: [2n], floatData: [1, -2] }, [0, 0, 128, 63, 0, 0, 0, 192]],
  ['rawData', { dataType: 1, dims: [1n], rawData: Uint8Array.of(1, 2, 3, 4) }, [1, 2, 3, 4]],
  ['int32Data of bool', { dataType: 9, dims: [2n], int32Data: [1, 0] }, [1, 0]],
  ['int32Data of float16', { dataType: 10, dims: [1n], int32Data: [0x3c00] }, [0, 60]],
  ['int64Data', { dataType: 7, dims: [], int64Data: [-2n] }, [254, 255, 255, 255, 255, 255, 255, 255]],
  ['uint64Data of uint32', { dataType: 12, dims: [1n], uint64Data: [7n] }, [7, 0, 0, 0]],
  ['doubleData', { dataType: 11, dims: [1n], doubleData: [1] }, [0, 0, 0, 0, 0, 0, 240, 63]],
  ['nothing', { dataType: 7, dims: [0n] }, []],
])('numbers in %s become little-endian bytes', (_, tensor, bytes) => {
  const [constant] = parse({ tensors: [{ name: 'c', ...tensor }] }).initializers;
  expect(constant?.data.kind === 'inline' ? [...constant.data.bytes] : undefined).toEqual(bytes);
});

test.each<[string, Partial<OnnxModel>, RegExp]>([
  ['another domain', { nodes: [{ opType: 'Steal', domain: 'evil.ops' }] }, /"Steal" of "evil\.ops"/],
  ['texts', { tensors: [{ name: 'c', dataType: 8, stringData: [Buffer.from('a')] }] }, /"c".*data type 8/],
  ['too few numbers', { tensors: [{ name: 'c', dataType: 1, dims: [2n], floatData: [1] }] }, /expected 2 numbers/],
  ['a data file inside the graph', { tensors: [{ name: 'c', dataType: 1, dataLocation: 1 }] }, /got a data file/],
  ['an input of texts', { inputs: [{ ...x, type: 8 }] }, /"x"/],
  ['a sparse attribute', { nodes: [{ opType: 'A', attribute: [{ name: 'sp', type: 11 }] }] }, /"sp"/],
])('a graph with %s is refused', (_, changes, message) => {
  expect(() => parse(changes)).toThrow(OnnxGraphError);
  expect(() => parse(changes)).toThrow(message);
});

test('what is no protobuf and what has no graph is refused', () => {
  expect(() => parseOnnxGraph(Buffer.from('no graph'), new Map())).toThrow(OnnxGraphError);
  expect(() => parseOnnxGraph(new Uint8Array(), new Map())).toThrow(/got none/);
});

test('branches nested ten thousand deep are an error', () => {
  let inner: Buffer = Buffer.alloc(0);
  const wrap = (number: number, payload: Buffer): Buffer => {
    const size: number[] = [];
    for (let rest = payload.length; ; rest >>>= 7) {
      size.push(rest >= 128 ? (rest & 127) | 128 : rest);
      if (rest < 128) break;
    }
    return Buffer.concat([Buffer.from([number * 8 + 2, ...size]), payload]);
  };
  for (let depth = 0; depth < 10_000; depth++) inner = wrap(1, wrap(5, wrap(6, inner))); // node, attribute, g
  expect(() => parseOnnxGraph(wrap(7, inner), new Map())).toThrow(OnnxGraphError);
});

test('constants of functions have no data files either; attributes of their callers are left to them', () => {
  const own = (attribute: object) =>
    parse({
      more: {
        functions: [{ name: 'F', domain: 'own', node: [{ opType: 'Constant', attribute: [attribute] }] }] as never, // plain data of that message
        opsets: { own: 1 },
      },
    });
  const outside = [{ key: 'location', value: '../../secret' }];
  const tensor = { dataType: 1, dims: [1n], dataLocation: 1, externalData: outside };
  expect(() => own({ name: 'value', type: 4, t: tensor })).toThrow(OnnxGraphError);
  expect(() => own({ name: 'value', type: 4, t: tensor })).toThrow('got a data file');
  const graph = own({ name: 'value', type: 4, refAttrName: 'table' });
  expect(graph.format?.functions.map(({ operators }) => operators)).toEqual([['Constant']]);
  const arrived = deserialize(clone(graph)) as Graph; // what a runner process gets
  const { functions } = fromBinary(ModelProtoSchema, serialize(arrived));
  expect(functions).toMatchObject([{ name: 'F', domain: 'own', node: [{ attribute: [{ refAttrName: 'table' }] }] }]);
});
