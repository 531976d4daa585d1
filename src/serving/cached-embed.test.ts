import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Sequence } from '../scheduler/entry.ts';
import { ServiceError } from '../errors.ts';
import { createCachedEmbed, type EmbedSequences } from './cached-embed.ts';
import { createResultCache } from './result-cache.ts';

/** `[first id, number of ids]` of each sequence; counts what it computes. */
function stage({ maxBytes = 1e6, source = 'a' } = {}) {
  const computed: number[] = [];
  const looked: object[] = [];
  const embed: EmbedSequences = async (sequences) => {
    computed.push(...sequences.map(({ ids }) => ids[0]!));
    const data = Float32Array.from(sequences.flatMap(({ ids }) => [ids[0]!, ids.length]));
    return { data, rows: sequences.length, dim: 2 };
  };
  const cache = createResultCache(maxBytes);
  const cached = (from = source) =>
    createCachedEmbed({ cache, source: from, embed, onLookUp: (found) => looked.push(found) });
  return { computed, looked, cache, cached, ask: cached() };
}

const sequence = (...ids: number[]): Sequence => ({ ids: Int32Array.from(ids) });

test('what was computed before is not computed again, and every row stays in its place', async () => {
  const { ask, computed, looked } = stage();
  await ask([sequence(1), sequence(2, 2)]);
  const { data, rows } = await ask([sequence(3), sequence(2, 2), sequence(4, 4, 4), sequence(1)]);
  expect([...data]).toEqual([3, 1, 2, 2, 4, 3, 1, 1]);
  expect([rows, computed]).toEqual([4, [1, 2, 3, 4]]);
  expect([...(await ask([sequence(4, 4, 4)])).data]).toEqual([4, 3]);
  expect(looked).toEqual([
    { hits: 0, misses: 2 },
    { hits: 2, misses: 2 },
    { hits: 1, misses: 0 },
  ]);
});

test('another source, and other tokens left out of pooling, are other vectors', async () => {
  const { ask, cached, computed } = stage();
  await ask([sequence(1)]);
  await ask([{ ...sequence(1), skip: 1 }]);
  await cached('b')([sequence(1)]);
  await ask([sequence(1)]);
  expect(computed).toEqual([1, 1, 1]);
});

test("a caller who changes its vectors changes nobody else's", async () => {
  const { ask } = stage();
  (await ask([sequence(1)])).data.fill(9);
  (await ask([sequence(1)])).data.fill(8);
  expect([...(await ask([sequence(1)])).data]).toEqual([1, 1]);
});

test('it holds no more than its memory, the oldest go, and nothing fails when nothing fits', async () => {
  const { ask, cache, computed } = stage({ maxBytes: 1000 });
  for (const id of [1, 2, 3, 4, 5, 6, 7]) await ask([sequence(id)]);
  expect(cache.calculatedSize).toBeLessThanOrEqual(1000);
  await ask([sequence(7)]);
  await ask([sequence(1)]);
  expect(computed).toEqual([1, 2, 3, 4, 5, 6, 7, 1]);
  const tiny = stage({ maxBytes: 10 });
  expect([...(await tiny.ask([sequence(5)])).data]).toEqual([5, 1]);
});

test('whatever is asked in whatever order, the vectors are those that would be computed', async () => {
  const inputs = fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(inputs, { maxLength: 8 }), async (requests) => {
      const { ask } = stage({ maxBytes: 1500 });
      for (const request of requests) {
        const { data } = await ask(request.map((ids) => sequence(...ids)));
        expect([...data]).toEqual(request.flatMap((ids) => [ids[0], ids.length]));
      }
    }),
    { numRuns: 50 },
  );
});

test('an error names its input as the request counts it, whatever was in the cache', async () => {
  const cache = createResultCache(1e6);
  const embed: EmbedSequences = async (sequences) => {
    const row = sequences.findIndex(({ ids }) => ids[0] === 666);
    if (row >= 0) throw new ServiceError('non_finite_output', { param: `input[${row}]` });
    return { data: new Float32Array(sequences.length), rows: sequences.length, dim: 1 };
  };
  const ask = createCachedEmbed({ cache, source: 'a', embed, onLookUp: () => {} });
  await ask([sequence(1), sequence(2)]);
  const failing = ask([sequence(1), sequence(3), sequence(2), sequence(666)]);
  await expect(failing).rejects.toMatchObject({ code: 'non_finite_output', details: { param: 'input[3]' } });
});
