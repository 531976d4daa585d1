import { expect, test } from 'vitest';
import { WeightError } from '../graph/builder.ts';
import type { TensorIndex } from '../store/safetensors.ts';
import { toCanonicalNames } from './canonical-names.ts';

function indexOf(...names: readonly string[]): TensorIndex {
  return new Map(names.map((name) => [name, { name, type: 'F32', shape: [1], file: '/f', offset: 8, byteLength: 4 }]));
}

test('the prefix goes, tensors of heads beside the model keep their names', () => {
  const canonical = toCanonicalNames(indexOf('bert.encoder.w', 'cls.predictions.bias'), { prefixes: ['bert.'] });
  expect([...canonical.keys()]).toEqual(['encoder.w', 'cls.predictions.bias']);
  expect(canonical.get('encoder.w')?.name).toBe('bert.encoder.w');
});

test('a checkpoint without the prefix stays as it is, also where a name has it inside', () => {
  const names = ['encoder.w', 'my.bert.w', 'bertha'];
  expect([...toCanonicalNames(indexOf(...names), { prefixes: ['bert.'] }).keys()]).toEqual(names);
});

test('only the first prefix of the list that occurs is dropped, and once', () => {
  const canonical = toCanonicalNames(indexOf('a.b.w', 'b.x', 'a.a.y'), { prefixes: ['none.', 'a.', 'b.'] });
  expect([...canonical.keys()]).toEqual(['b.w', 'b.x', 'a.y']);
});

test('gamma and beta of a LayerNorm are weight and bias, others stay', () => {
  const canonical = toCanonicalNames(
    indexOf('a.LayerNorm.gamma', 'a.LayerNorm.beta', 'a.gamma', 'a.LayerNorm.gamma.x'),
    { prefixes: [] },
  );
  expect([...canonical.keys()]).toEqual(['a.LayerNorm.weight', 'a.LayerNorm.bias', 'a.gamma', 'a.LayerNorm.gamma.x']);
});

test('two tensors that get one name are refused, naming both', () => {
  expect(() => toCanonicalNames(indexOf('w', 'bert.w'), { prefixes: ['bert.'] })).toThrow(WeightError);
  expect(() => toCanonicalNames(indexOf('w', 'bert.w'), { prefixes: ['bert.'] })).toThrow(
    'holds w twice, as w and as bert.w',
  );
  expect(() => toCanonicalNames(indexOf('LayerNorm.gamma', 'LayerNorm.weight'), { prefixes: [] })).toThrow(WeightError);
});

test('an architecture renames what it stores under other names, after the prefix is gone', () => {
  const canonical = toCanonicalNames(indexOf('a.w.original', 'a.x'), {
    prefixes: ['a.'],
    canonicalName: (name) => name.replace(/\.original$/, ''),
  });
  expect([...canonical.keys()]).toEqual(['w', 'x']);
});
