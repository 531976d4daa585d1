import { expect, test } from 'vitest';
import type { VectorSource } from '../embed.ts';
import { sourceHeader } from './source-header.ts';

const source: VectorSource = {
  repository: 'org/name',
  origin: 'bundled',
  dtype: 'float32',
  pooling: 'mean',
  prompt: '',
};
const commit = 'c'.repeat(40);

test.each([
  [{}, 'org/name@bundled; dtype=float32; pooling=mean'],
  [{ revision: commit, origin: 'cache' }, `org/name@${commit}; dtype=float32; pooling=mean`],
  [{ pooling: 'cls, mean' }, 'org/name@bundled; dtype=float32; pooling=cls%2C%20mean'],
  [
    { task: 'запрос; x' },
    'org/name@bundled; dtype=float32; pooling=mean; task=%D0%B7%D0%B0%D0%BF%D1%80%D0%BE%D1%81%3B%20x',
  ],
  [
    { task: 'retrieval.query', prompt: 'query: ' },
    'org/name@bundled; dtype=float32; pooling=mean; task=retrieval.query; prompt=query%3A%20',
  ],
  [
    { prompt: 'ключ\r\nx: y; \uD800' },
    'org/name@bundled; dtype=float32; pooling=mean; prompt=%D0%BA%D0%BB%D1%8E%D1%87%0D%0Ax%3A%20y%3B%20%EF%BF%BD',
  ],
] as const)('vectors of %j', (changes, header) => {
  expect(sourceHeader({ ...source, ...changes })).toEqual({ 'x-embeddings-model': header });
});

test('a long prompt is given by its hash', () => {
  const header = sourceHeader({ ...source, prompt: 'x'.repeat(2000) })['x-embeddings-model'];
  expect(header).toMatch(/; prompt=sha256:[0-9a-f]{64}$/);
});
