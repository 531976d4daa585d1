import { fromBinary } from '@bufbuild/protobuf';
import { deserialize, serialize as clone } from 'node:v8';
import { expect, test } from 'vitest';
import { float, type Graph, int, ints, string, subgraph } from './graph.ts';
import { ModelProtoSchema } from './proto/onnx-ml_pb.js';
import { serialize } from './serialize.ts';

const view = {
  name: 'stored',
  type: 'F16',
  shape: [2, 3],
  file: '/some/folder/weights.safetensors',
  offset: 2 ** 33 + 8,
  byteLength: 12,
} as const;
const branch: Graph = {
  name: 'then',
  inputs: [],
  outputs: [{ name: 'y', dtype: 'float32', shape: [] }],
  nodes: [{ name: 'y', op: 'Neg', domain: '', inputs: ['x'], outputs: ['y'], dtype: 'float32', attributes: {} }],
  initializers: [],
};
const graph: Graph = {
  name: 'test',
  inputs: [
    { name: 'x', dtype: 'int64', shape: ['batch', 3] },
    { name: 'flag', dtype: 'bool', shape: [] },
  ],
  outputs: [
    { name: 'out', dtype: 'bfloat16', shape: [7] },
    { name: 'second', dtype: 'float32' },
  ],
  nodes: [
    {
      name: 'path/Op',
      op: 'Op',
      domain: 'com.microsoft',
      inputs: ['x', '', 'w'],
      outputs: ['out', 'second'],
      dtype: 'float32',
      attributes: { i: int(-1), f: float(0.5), is: ints([1, -2]), s: string('tanh é'), g: subgraph(branch) },
    },
  ],
  initializers: [
    { name: 'w', dtype: 'float16', shape: [2, 3], data: { kind: 'checkpoint', view } },
    { name: 'c', dtype: 'int8', shape: [], data: { kind: 'inline', bytes: Uint8Array.of(1, 2) } },
  ],
};

const read = (model: Graph) => fromBinary(ModelProtoSchema, serialize(model));

test('the model says its opsets and a format that knows them', () => {
  const { irVersion, opsetImport } = read(graph);
  expect(irVersion).toBe(10n);
  expect(opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
    ['', 21n],
    ['com.microsoft', 1n],
  ]);
});

test('nodes come back with order, absent inputs and every kind of attribute', () => {
  const [node] = read(graph).graph!.node;
  expect(node).toMatchObject({
    name: 'path/Op',
    opType: 'Op',
    domain: 'com.microsoft',
    input: ['x', '', 'w'],
    output: ['out', 'second'],
  });
  const attributes = Object.fromEntries(node!.attribute.map((attribute) => [attribute.name, attribute]));
  expect(attributes['i']).toMatchObject({ type: 2, i: -1n });
  expect(attributes['f']).toMatchObject({ type: 1, f: 0.5 });
  expect(attributes['is']).toMatchObject({ type: 7, ints: [1n, -2n] });
  expect([attributes['s']?.type, new TextDecoder().decode(attributes['s']?.s)]).toEqual([3, 'tanh é']);
  expect(attributes['g']).toMatchObject({ type: 5, g: { name: 'then', node: [{ opType: 'Neg', input: ['x'] }] } });
});

test('ports come back with types and named or fixed sizes, those without a shape without one', () => {
  const { input, output } = read(graph).graph!;
  const portOf = (port: (typeof input)[number]) => {
    if (port.type?.value.case !== 'tensorType') throw new Error('no tensor');
    const { elemType, shape } = port.type.value.value;
    return [port.name, elemType, shape?.dim.map((dim) => dim.value.value)];
  };
  expect([...input, ...output].map(portOf)).toEqual([
    ['x', 7, ['batch', 3n]],
    ['flag', 9, []],
    ['out', 16, [7n]],
    ['second', 1, undefined],
  ]);
});

test('a weight is a byte range of a file named without its folder, a constant is inline', () => {
  const [weight, constant] = read(graph).graph!.initializer;
  expect(weight).toMatchObject({ name: 'w', dataType: 10, dims: [2n, 3n], dataLocation: 1 });
  expect(weight!.rawData).toHaveLength(0);
  expect(weight!.externalData.map(({ key, value }) => [key, value])).toEqual([
    ['location', 'weights.safetensors'],
    ['offset', '8589934600'],
    ['length', '12'],
  ]);
  expect(constant).toMatchObject({ name: 'c', dataType: 3, dims: [], dataLocation: 0, externalData: [] });
  expect([...constant!.rawData]).toEqual([1, 2]);
});

test('a graph that came through the channel of a process gives the same model, also where bytes are part of a buffer', () => {
  const data = { kind: 'inline', bytes: Uint8Array.of(9, 1, 2, 9).subarray(1, 3) } as const;
  const sent = {
    ...graph,
    initializers: [...graph.initializers, { name: 'part', dtype: 'int8', shape: [2], data }] as const,
  };
  const arrived = deserialize(clone(sent)) as Graph; // as child processes with 'advanced' serialization do
  expect(serialize(arrived)).toEqual(serialize(sent));
  expect([...read(arrived).graph!.initializer[2]!.rawData]).toEqual([1, 2]);
});
