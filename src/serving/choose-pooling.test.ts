import { expect, test } from 'vitest';
import { choosePooling } from './choose-pooling.ts';

function choose(wanted: 'mean' | 'model', declaredPooling: string | undefined, unbuiltModules: readonly string[] = []) {
  const others: string[] = [];
  const model = { declaredPooling, unbuiltModules };
  const pooling = choosePooling({ name: 'org/a', model, wanted, onOther: (declared) => others.push(declared) });
  return { pooling, others };
}

test('mean is used for every model, and a model that declares another pooling is reported', () => {
  expect(choose('mean', 'cls')).toEqual({ pooling: 'mean', others: ['cls'] });
  expect(choose('mean', 'mean')).toEqual({ pooling: 'mean', others: [] });
  expect(choose('mean', undefined, ['Dense'])).toEqual({ pooling: 'mean', others: [] });
});

test('the pooling of the model is followed on request, and is mean where it declares none', () => {
  expect(choose('model', 'cls')).toEqual({ pooling: 'cls', others: [] });
  expect(choose('model', undefined)).toEqual({ pooling: 'mean', others: [] });
});

test('a pooling or a step that is not built is an error that names it', () => {
  expect(() => choose('model', 'weightedmean')).toThrow('its pooling "weightedmean" is not built yet');
  expect(() => choose('model', 'cls', ['Dense'])).toThrow('a step "Dense"');
});
