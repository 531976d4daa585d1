import { expect, test } from 'vitest';
import { toFeeds } from './feeds.ts';

test('sequences of unequal lengths: padded positions repeat the last token, positions count from the first', () => {
  const feeds = toFeeds({ ids: Int32Array.of(7, 8, 9, 5), offsets: Int32Array.of(0, 3, 4) }, { first: 2 });
  expect([...feeds.position_ids]).toEqual([2, 3, 4, 2]);
  expect([...feeds.lengths]).toEqual([3, 1]);
  expect([...feeds.pad_index]).toEqual([0, 1, 2, 3, 3, 3]);
  expect([...feeds.unpad_index]).toEqual([0, 1, 2, 3]);
  expect([...feeds.equal_lengths]).toEqual([0]);
  expect([...feeds.view_shape]).toEqual([1n, 4n, -1n]);
});

test('sequences of equal lengths are already in padded form', () => {
  const feeds = toFeeds({ ids: Int32Array.of(7, 8, 9, 5), offsets: Int32Array.of(0, 2, 4) }, { first: 0 });
  expect([...feeds.pad_index]).toEqual([0, 1, 2, 3]);
  expect([...feeds.equal_lengths]).toEqual([1]);
  expect([...feeds.view_shape]).toEqual([2n, 2n, -1n]);
});

test('tokens to skip are none where the batch says nothing', () => {
  const batch = { ids: Int32Array.of(7, 8, 9, 5), offsets: Int32Array.of(0, 3, 4) };
  expect([...toFeeds(batch, { first: 0 }).pooling_skips]).toEqual([0, 0]);
  expect([...toFeeds({ ...batch, skips: Int32Array.of(2, 0) }, { first: 0 }).pooling_skips]).toEqual([2, 0]);
});
