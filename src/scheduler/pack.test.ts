import fc from 'fast-check';
import { expect, test } from 'vitest';
import { costModel } from '../engine/cost-model.ts';
import { pack } from './pack.ts';

const cost = costModel({ hidden: 384 }, 'cpu');
const limits = { maxTokens: 256, cost };
const lengthLists = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 80 });
const tokensOf = (lengths: readonly number[], chosen: readonly number[]) =>
  chosen.reduce((sum, index) => sum + lengths[index]!, 0);

test('nothing waiting gives an empty batch', () => {
  expect(pack([], limits)).toEqual([]);
});

test('the seed is always in the batch, first, and nothing is in it twice', () => {
  fc.assert(
    fc.property(lengthLists, (lengths) => {
      const chosen = pack(lengths, limits);
      expect(chosen[0]).toBe(0);
      expect(new Set(chosen).size).toBe(chosen.length);
      expect(chosen).toEqual(chosen.toSorted((a, b) => a - b));
    }),
  );
});

test('a batch stays within its tokens unless the seed alone is longer', () => {
  fc.assert(
    fc.property(lengthLists, (lengths) => {
      const chosen = pack(lengths, limits);
      expect(tokensOf(lengths, chosen)).toBeLessThanOrEqual(Math.max(limits.maxTokens, lengths[0]!));
    }),
  );
});

test('joining never makes a token dearer than in a batch of the seed alone', () => {
  fc.assert(
    fc.property(lengthLists, (lengths) => {
      const chosen = pack(lengths, limits);
      const together = cost(chosen.map((index) => lengths[index]!)) / tokensOf(lengths, chosen);
      expect(together).toBeLessThanOrEqual(cost([lengths[0]!]) / lengths[0]! + 1e-9);
    }),
  );
});

test('equal lengths fill the batch', () => {
  expect(
    pack(
      Array.from({ length: 20 }, () => 32),
      limits,
    ),
  ).toHaveLength(8);
});

test('short queries of unequal lengths run together: a run of its own costs more than padding', () => {
  expect(pack([7, 8, 6, 9, 11], limits)).toEqual([0, 1, 2, 3, 4]);
});

test('a long text takes no shorter one with it: the mask would cost more than a run of its own', () => {
  expect(pack([200, 30], limits)).toEqual([0]);
});
