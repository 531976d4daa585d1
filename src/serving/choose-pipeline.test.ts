import { expect, test } from 'vitest';
import type { Pipeline } from '../models/pipeline/pipeline.ts';
import { plainPipeline } from '../models/pipeline/pipeline.ts';
import { UnbuiltModuleError } from '../models/pipeline/unbuilt-module.ts';
import { choosePipeline } from './choose-pipeline.ts';

const shape = { hidden: 8, layers: 1, vocabulary: 10, maxTokens: 4, positions: { first: 0 } };

interface Declared {
  readonly declaredPooling?: string;
  readonly readPipeline?: () => Pipeline;
}

function choose(wanted: 'mean' | 'model', { declaredPooling, readPipeline = () => plainPipeline('cls', 8) }: Declared) {
  const others: string[] = [];
  const model = { declaredPooling, readPipeline, shape };
  const pipeline = choosePipeline({ name: 'org/a', model, wanted, onOther: (declared) => others.push(declared) });
  return { pipeline, others };
}

test('mean is used for every model, and a model that declares another pooling is reported', () => {
  expect(choose('mean', { declaredPooling: 'cls' })).toEqual({ pipeline: plainPipeline('mean', 8), others: ['cls'] });
  expect(choose('mean', { declaredPooling: 'mean' }).others).toEqual([]);
  const unreadable = () => {
    throw new Error('not read');
  };
  expect(choose('mean', { readPipeline: unreadable })).toEqual({ pipeline: plainPipeline('mean', 8), others: [] });
});

test('the pipeline of the model is followed on request', () => {
  expect(choose('model', { declaredPooling: 'cls' })).toEqual({ pipeline: plainPipeline('cls', 8), others: [] });
});

test('a step that is not built is an error that names it and the way without it', () => {
  const readPipeline = () => {
    throw new UnbuiltModuleError('its own pipeline has a step "BoW"');
  };
  expect(() => choose('model', { readPipeline })).toThrow(/a step "BoW"; pooling=mean does without/);
});
