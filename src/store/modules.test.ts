import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderOf, modulesOf } from '../../tests/graph/model-folder.ts';
import { findMissingFiles } from './missing-files.ts';
import { findModelRoot, ModulesFileError, readModules } from './modules.ts';

test('the steps are read in order, by the last part of their class in either dialect', () => {
  const type = (name: string) => ({ type: name, path: '' });
  const modules = [
    { type: 'sentence_transformers.models.Transformer', path: '' },
    { type: 'sentence_transformers.sentence_transformer.modules.pooling.Pooling', path: '1_Pooling' },
    { type: 'sentence_transformers.base.modules.dense.Dense', path: 'a/b' },
    type('custom_st.Transformer'),
    { type: 'Normalize', path: '.' },
  ];
  expect(readModules(folderOf({ 'modules.json': modules }))).toEqual([
    { kind: 'Transformer', path: '' },
    { kind: 'Pooling', path: '1_Pooling' },
    { kind: 'Dense', path: 'a/b' },
    { kind: 'Transformer', path: '' },
    { kind: 'Normalize', path: '' },
  ]);
  expect(readModules(folderOf({}))).toBeUndefined();
});

test.each([
  '[',
  {},
  [null],
  ['x'],
  [{ path: '' }],
  [{ type: '', path: '' }],
  [{ type: 'a.', path: '' }],
  [{ type: 7, path: '' }],
  [{ type: 'a.B' }],
  ...['..', '../x', '/etc', 'a/../b', 'a//b', 'a/', 'a\0', 'a b', '...', 7, null].map((path) => [
    { type: 'a.B', path },
  ]),
])('%j is refused, naming the file', (modules) => {
  expect(() => readModules(folderOf({ 'modules.json': modules }))).toThrow(ModulesFileError);
  expect(() => readModules(folderOf({ 'modules.json': modules }))).toThrow(/modules\.json/);
});

test('the files of the first step are in the folder itself where config.json is', () => {
  const folder = folderOf({ 'config.json': {}, 'modules.json': [{ type: 'x.Transformer', path: '0_Transformer' }] });
  expect(findModelRoot(folder)).toEqual({ folder, kind: 'Transformer' });
  const broken = folderOf({ 'config.json': {}, 'modules.json': '[' });
  expect(findModelRoot(broken)).toEqual({ folder: broken, kind: 'Transformer' });
});

test('without config.json they are where modules.json says', () => {
  const folder = folderOf({ 'modules.json': [{ type: 'x.Transformer', path: '0_Transformer' }] });
  expect(findModelRoot(folder)).toEqual({ folder: join(folder, '0_Transformer'), kind: 'Transformer' });
});

test('a static embedding needs no config.json, in the folder or below it', () => {
  for (const path of ['', '0_StaticEmbedding']) {
    const files = { 'modules.json': [{ type: 'x.StaticEmbedding', path }] };
    const weights = { [join(path, 'model.safetensors')]: 'x', [join(path, 'tokenizer.json')]: {} };
    expect(findMissingFiles(folderOf({ ...files, ...weights }))).toBeUndefined();
    expect(findMissingFiles(folderOf(files))).toBe(
      `${join(path, 'tokenizer.json')} is missing, and modules.json begins with StaticEmbedding`,
    );
  }
});

test('what begins with a step that is not built is not complete, and the step is named', () => {
  expect(findMissingFiles(folderOf({ 'modules.json': modulesOf('Router') }))).toBe(
    'config.json is missing, and modules.json begins with Router',
  );
  expect(findMissingFiles(folderOf({ 'modules.json': '[' }))).toMatch(/config\.json.*modules\.json/);
});

test('a class as long as a file is cut, and costs no time', () => {
  const folder = folderOf({ 'modules.json': [{ type: `${'a'.repeat(1_000_000)}!`, path: '' }] });
  expect(() => readModules(folder)).toThrow('Expected a "type" for every module');
  expect(readModules(folderOf({ 'modules.json': [{ type: 'a'.repeat(1_000_000), path: '' }] }))).toEqual([
    { kind: 'a'.repeat(80), path: '' },
  ]);
});
