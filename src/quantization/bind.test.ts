import { expect, test } from 'vitest';
import type { Graph, Initializer } from '../graph/graph.ts';
import type { TensorView } from '../store/safetensors.ts';
import { bindTensors, listCopies } from './bind.ts';

const view: TensorView = { name: 'w', type: 'F16', shape: [6, 4], file: '/a', offset: 64, byteLength: 48 };
const part: TensorView = { ...view, offset: 80, byteLength: 16 };
const initializers: readonly Initializer[] = [
  { name: 'w', dtype: 'float16', shape: [6, 4], data: { kind: 'checkpoint', view } },
  { name: 'w[2:4]', dtype: 'float16', shape: [2, 4], data: { kind: 'checkpoint', view: part } },
  {
    name: 'small',
    dtype: 'float32',
    shape: [1],
    data: { kind: 'checkpoint', view: { ...view, bytes: new Uint8Array(4) } },
  },
  { name: 'two', dtype: 'float32', shape: [], data: { kind: 'inline', bytes: new Uint8Array(4) } },
  { name: 'codes', dtype: 'int8', shape: [4, 6], data: { kind: 'derived' } },
];
const graph: Graph = { name: 'test', inputs: [], outputs: [], nodes: [], initializers };

test('what a graph reads of the checkpoint is copied, a part of a tensor as such; inline and derived tensors are not', () => {
  expect(listCopies(graph)).toEqual([
    { kind: 'copy', from: view, to: 'w' },
    { kind: 'copy', from: { ...part, shape: [2, 4] }, to: 'w[2:4]' },
  ]);
});

test('tensors are read where they lie now; the others stay', () => {
  const codes: TensorView = { name: 'codes', type: 'I8', shape: [4, 6], file: '/b', offset: 128, byteLength: 24 };
  const moved: TensorView = { ...view, file: '/b', offset: 64 };
  const bound = bindTensors(
    graph,
    new Map([
      ['codes', codes],
      ['w', moved],
    ]),
  ).initializers;
  expect(bound.map(({ data }) => data)).toEqual([
    { kind: 'checkpoint', view: moved },
    initializers[1]!.data,
    initializers[2]!.data,
    initializers[3]!.data,
    { kind: 'checkpoint', view: codes },
  ]);
});

test('a tensor whose size only its file tells has that size', () => {
  const inverse: Initializer = { name: 'inverse', dtype: 'float32', shape: [], data: { kind: 'derived' } };
  const there: TensorView = { name: 'inverse', type: 'F32', shape: [8], file: '/b', offset: 64, byteLength: 32 };
  const [bound] = bindTensors({ ...graph, initializers: [inverse] }, new Map([['inverse', there]])).initializers;
  expect(bound?.shape).toEqual([8]);
});
