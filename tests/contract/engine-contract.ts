import { afterAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import type { Batch } from '../../src/scheduler/batch.ts';
import type { Vectors } from '../../src/vectors/vectors.ts';

/** What every engine must do, on a model whose vocabulary has at least 290 ids. */
export function describeEngine(name: string, open: () => Promise<Engine>): void {
  describe(`the contract of an engine: ${name}`, async () => {
    const engine = await open();
    afterAll(() => engine.close());
    const lengths = [1, 5, 5, 12, 33, 33, 33, 64];
    const sequences = lengths.map((length, row) =>
      Int32Array.from({ length }, (_, i) => 1 + ((row * 37 + i * 11) % 280)),
    );

    test('one row of `dimensions` numbers comes back for each sequence', async () => {
      const { data, rows, dim } = await engine.embed(toBatch(sequences));
      expect({ rows, dim, count: data.length }).toEqual({
        rows: sequences.length,
        dim: engine.limits.dimensions,
        count: rows * dim,
      });
    });

    test('vectors are of unit length', async () => {
      const { data, rows, dim } = await engine.embed(toBatch(sequences));
      for (let row = 0; row < rows; row++)
        expect(Math.hypot(...data.subarray(row * dim, (row + 1) * dim))).toBeCloseTo(1, 5);
    });

    test('a sequence gives the same vector alone, among equals and among others, in its own row', async () => {
      const together = await engine.embed(toBatch(sequences));
      const equals = await engine.embed(toBatch(sequences.slice(4, 7)));
      for (const [row, ids] of sequences.entries()) {
        const alone = await engine.embed(toBatch([ids]));
        const own = together.data.subarray(row * together.dim, (row + 1) * together.dim);
        expect(maxDifference(alone.data, own), `row ${row}`).toBeLessThanOrEqual(1e-6);
        if (row >= 4 && row < 7)
          expect(
            maxDifference(alone.data, equals.data.subarray((row - 4) * equals.dim, (row - 3) * equals.dim)),
          ).toBeLessThanOrEqual(1e-6);
      }
    });

    test('the longest sequence it allows runs', async () => {
      const ids = new Int32Array(engine.limits.maxTokens).fill(7);
      expect((await engine.embed(toBatch([ids]))).rows).toBe(1);
    });

    test('batches asked for at the same time do not mix', async () => {
      const batches = sequences.map((ids) => toBatch([ids]));
      const oneByOne: Vectors[] = [];
      for (const batch of batches) oneByOne.push(await engine.embed(batch));
      const atOnce = await Promise.all(batches.map((batch) => engine.embed(batch)));
      atOnce.forEach((vectors, index) => expect(maxDifference(vectors.data, oneByOne[index]!.data)).toBe(0));
    });

    test('a batch whose client has left is refused', async () => {
      await expect(engine.embed(toBatch(sequences), AbortSignal.abort())).rejects.toThrow();
    });

    test('more tokens cost more, and a batch costs less than its sequences one by one', () => {
      expect(engine.cost([32])).toBeGreaterThan(engine.cost([16]));
      expect(engine.cost([32, 32])).toBeLessThan(2 * engine.cost([32]));
    });
  });
}

export function toBatch(sequences: readonly Int32Array[]): Batch {
  const offsets = Int32Array.from({ length: sequences.length + 1 }, (_, row) =>
    sequences.slice(0, row).reduce((sum, ids) => sum + ids.length, 0),
  );
  const ids = new Int32Array(offsets.at(-1) ?? 0);
  sequences.forEach((sequence, row) => ids.set(sequence, offsets[row]));
  return { ids, offsets };
}

export function maxDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((max, value, index) => Math.max(max, Math.abs(value - (b[index] ?? NaN))), 0);
}
