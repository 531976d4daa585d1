import { expect, test } from 'vitest';
import { relativeBuckets } from './relative-buckets.ts';

/** Where a bucket begins, keys behind the query. */
function starts(options: { readonly buckets: number; readonly maxDistance: number }): number[] {
  const behind = relativeBuckets(options)
    .slice(0, options.maxDistance + 1)
    .toReversed();
  return behind.flatMap((bucket, distance) => (bucket === behind[distance - 1] ? [] : [distance]));
}

test('buckets begin where those of transformers do', () => {
  expect(starts({ buckets: 32, maxDistance: 128 })).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91]);
});

test('keys ahead of the query have the other half of the buckets', () => {
  const buckets = relativeBuckets({ buckets: 32, maxDistance: 128 });
  expect(buckets).toHaveLength(257);
  const behind = buckets.slice(0, 128).toReversed();
  expect(buckets.slice(129)).toEqual(behind.map((bucket) => bucket + 16));
  expect([buckets[0], buckets[127], buckets[128], buckets[129], buckets[256]]).toEqual([15, 1, 0, 17, 31]);
});
