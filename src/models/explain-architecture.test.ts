import { expect, test } from 'vitest';
import type { TensorIndex, TensorView } from '../store/safetensors.ts';
import { explainArchitecture } from './explain-architecture.ts';
import type { ArchitectureRow } from './registry.ts';

function tensorsOf(...names: readonly string[]): TensorIndex {
  return new Map(names.map((name) => [name, { name } as TensorView])); // only names are looked at
}

/** A row that takes checkpoints with one tensor. */
function row(tensor: string | undefined, modelTypes = ['a']): ArchitectureRow {
  const unusedHere = (): never => {
    throw new Error('not called');
  };
  const architecture = {
    prefixes: ['model.'],
    parseConfig: unusedHere,
    describe: unusedHere,
    build: unusedHere,
    ...(tensor === undefined ? {} : { matches: (_config: unknown, tensors: TensorIndex) => tensors.has(tensor) }),
  };
  return { modelTypes, load: async () => architecture };
}

test('each row that knows the model type says which tensors it asked for, up to the one that takes it', async () => {
  const table = { other: row(undefined, ['b']), first: row('x'), second: row('y'), third: row(undefined) };
  const { modelType, candidates } = await explainArchitecture({ model_type: 'a' }, tensorsOf('model.y'), table);
  expect(modelType).toBe('a');
  expect(candidates).toEqual([
    { name: 'first', isTaken: false, asked: { x: false } },
    { name: 'second', isTaken: true, asked: { y: true } },
  ]);
});

test('a row without a rule takes by model type alone, and an unknown type has no candidate', async () => {
  const taken = await explainArchitecture({ model_type: 'a' }, tensorsOf(), { only: row(undefined) });
  expect(taken.candidates).toEqual([{ name: 'only', isTaken: true, asked: {} }]);
  expect(await explainArchitecture({}, tensorsOf(), { only: row(undefined) })).toEqual({
    modelType: 'missing',
    candidates: [],
  });
});
