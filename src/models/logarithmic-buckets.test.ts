import { expect, test } from 'vitest';
import { logarithmicBuckets } from './logarithmic-buckets.ts';

const small = { positions: 64, span: 8, logarithmicTo: 64 };

test('buckets begin where those of transformers do', () => {
  const behind = logarithmicBuckets(small).slice(small.positions - 1);
  const starts = behind.flatMap((bucket, distance) => (bucket === behind[distance - 1] ? [] : [distance]));
  expect(starts).toEqual([0, 1, 2, 3, 4, 5, 11, 26]);
});

test('distances to both sides are symmetric about the span', () => {
  const buckets = logarithmicBuckets(small);
  expect(buckets).toHaveLength(127);
  expect(buckets.toReversed().map((bucket) => 16 - bucket)).toEqual(buckets);
});

test('without logarithmic buckets each distance has its own, up to the span', () => {
  expect(logarithmicBuckets({ positions: 5, span: 3, logarithmicTo: undefined })).toEqual([0, 0, 1, 2, 3, 4, 5, 5, 5]);
});
