import { expect, test } from 'vitest';
import { parseAllowlist } from './allowlist.ts';
import { listModels, nameModel } from './name-model.ts';

const { entries } = parseAllowlist(
  'acme/one\nacme/one alias=one@new revision=v2\nacme/two alias=query prompt=q revision=v1\nacme/two alias=passage revision=v1\n',
);

test.each([
  ['acme/one', { repository: 'acme/one' }],
  ['one@new', { repository: 'acme/one', revision: 'v2' }],
  ['one@new@v3', { repository: 'acme/one', revision: 'v3' }],
  ['acme/one@refs/pr/3', { repository: 'acme/one', revision: 'refs/pr/3' }],
  ['acme/two', { repository: 'acme/two', revision: 'v1' }], // known by aliases only
  ['passage', { repository: 'acme/two', revision: 'v1' }],
  ['passage@main', { repository: 'acme/two', revision: 'main' }],
  ['else/where', { repository: 'else/where' }],
  ['gpt2@v1', { repository: 'gpt2', revision: 'v1' }],
])('%s is a model', (name, model) => {
  expect(nameModel(name, entries)).toEqual({ name, ...model });
});

test.each(['', '@', '../up', 'a/b/c', 'acme/one@', 'acme/one@../x', '@v1', './folder'])('%j is none', (name) => {
  expect(nameModel(name, entries)).toBeUndefined();
});

test('the models of a list come once each', () => {
  expect(listModels(entries).map(({ name }) => name)).toEqual(['acme/one', 'one@new', 'query']);
});
