import { expect, test } from 'vitest';
import { parseAllowlist } from '../store/allowlist.ts';
import type { LocatedModel } from '../store/locate-model.ts';
import { choosePreload } from './choose-preload.ts';

function preloadOf(list: string, kinds: Readonly<Record<string, LocatedModel['kind']>>): readonly string[] {
  return choosePreload(parseAllowlist(list).entries, ({ repository }) => {
    const kind = kinds[repository];
    return kind && { kind, folder: `/${repository}` };
  });
}

test('the bundled model is loaded when it is the only one here', () => {
  expect(preloadOf('org/a\norg/bundled', { 'org/bundled': 'bundled' })).toEqual(['org/bundled']);
});

test('the only model of the user is loaded instead of the bundled one', () => {
  expect(preloadOf('org/bundled\norg/a', { 'org/bundled': 'bundled', 'org/a': 'cache' })).toEqual(['org/a']);
});

test('among several models none is guessed', () => {
  expect(preloadOf('org/a\norg/b', { 'org/a': 'local', 'org/b': 'cache' })).toEqual([]);
});

test('aliases of one model are one model', () => {
  expect(preloadOf('org/a alias=query\norg/a alias=passage', { 'org/a': 'local' })).toEqual(['query']);
});

test('no model here means nothing to load', () => {
  expect(preloadOf('org/a', {})).toEqual([]);
});
