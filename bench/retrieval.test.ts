import { expect, test } from 'vitest';
import { ndcg, nearest, neighbourOverlap } from './retrieval.ts';

const table = { data: Float32Array.of(1, 0, 0.8, 0.6, 0, 1, -1, 0), dim: 2 };

test('the nearest rows come first, and the row itself is left out', () => {
  expect(nearest(table, Float32Array.of(1, 0), { count: 2 })).toEqual([0, 1]);
  expect(nearest(table, Float32Array.of(1, 0), { count: 2, except: 0 })).toEqual([1, 2]);
});

test('a table overlaps itself wholly, and another by its share', () => {
  expect(neighbourOverlap(table, table, 2)).toBe(1);
  const turned = { data: Float32Array.of(1, 0, -0.8, 0.6, 0, 1, -1, 0), dim: 2 };
  expect(neighbourOverlap(table, turned, 1)).toBe(0.25); // only the third keeps its nearest
});

test('nDCG is 1 for the best ranking, 0 for none, and falls with the rank', () => {
  expect(ndcg([4, 7, 1, 2], [7, 4])).toBe(1);
  expect(ndcg([1, 2, 3], [9])).toBe(0);
  expect(ndcg([1, 9, 3], [9])).toBeCloseTo(1 / Math.log2(3), 12);
});

test('more relevant documents than ranks still reach 1', () => {
  expect(ndcg([1, 2], [1, 2, 3, 4])).toBe(1);
});
