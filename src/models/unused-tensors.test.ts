import { expect, test } from 'vitest';
import type { Graph } from '../graph/graph.ts';
import type { TensorView } from '../store/safetensors.ts';
import { findUnusedTensors } from './unused-tensors.ts';

const viewOf = (name: string): TensorView => ({ name, type: 'F32', shape: [1], file: '/f', offset: 0, byteLength: 4 });
const graphOf = (...names: readonly string[]): Graph => ({
  name: 'test',
  inputs: [],
  outputs: [],
  nodes: [],
  initializers: names.map((name) => ({
    name,
    dtype: 'float32',
    shape: [1],
    data: { kind: 'checkpoint', view: viewOf(name) },
  })),
});
const indexOf = (...names: readonly string[]) => new Map(names.map((name) => [name, viewOf(name)]));

test('a tensor that no rule leaves out is named', () => {
  const tensors = indexOf('a.weight', 'a.extra', 'pooler.dense.weight', 'embeddings.position_ids', 'lora_A');
  expect(findUnusedTensors(graphOf('a.weight'), tensors, {})).toEqual(['a.extra', 'lora_A']);
  expect(findUnusedTensors(graphOf('a.weight'), tensors, { unused: /^lora_/ })).toEqual(['a.extra']);
});

test('words of the rules inside other names do not leave a tensor out', () => {
  for (const name of ['layers.0.score.weight', 'my_pooler.weight', 'position_ids.weight', 'clsx.weight'])
    expect(findUnusedTensors(graphOf(), indexOf(name), {})).toEqual([name]);
});
