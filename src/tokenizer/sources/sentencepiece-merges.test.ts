import { expect, test } from 'vitest';
import { deriveMerges } from './sentencepiece-merges.ts';

const merges = (...scored: readonly (readonly [string, number])[]) =>
  deriveMerges(scored, new Map(scored.map(([piece], id) => [piece, id]))).map((merge) => merge.join(' '));

test('every split into two pieces is a merge, the best score first', () => {
  expect(merges(['a', -9], ['b', -9], ['ab', -2], ['c', -9], ['abc', -1], ['bc', -3])).toEqual([
    'ab c',
    'a bc',
    'a b',
    'b c',
  ]);
});

test('of equal scores the longer left part comes first, counted in characters', () => {
  const scored = ['😀', 'é', 'x', 'éx', '😀é', '😀éx'].map((piece) => [piece, 0] as const);
  expect(merges(...scored)).toEqual(['😀é x', '😀 éx', 'é x', '😀 é']);
});

test('pieces without two parts give none', () => {
  expect(merges(['', 0], ['a', 0], ['xyz', 0])).toEqual([]);
});
