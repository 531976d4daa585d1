import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from './heap.ts';

test('an empty heap has no first', () => {
  const heap = new Heap<string>();
  expect([heap.size, heap.first, heap.firstKey, heap.pop()]).toEqual([0, undefined, Infinity, undefined]);
});

test('values come out by their keys, whatever was pushed, popped and raised in between', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), key: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ kind: fc.constant('pop' as const), key: fc.constant(0) }),
    fc.record({ kind: fc.constant('raise' as const), key: fc.integer({ min: 0, max: 50 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new Heap<number>();
      const keys = new Map<number, number>();
      steps.forEach(({ kind, key }, id) => {
        const smallest = Math.min(Infinity, ...keys.values());
        expect(heap.firstKey).toBe(smallest);
        if (kind === 'push') {
          heap.push(id, key);
          keys.set(id, key);
        } else if (kind === 'pop') {
          const value = heap.pop();
          if (value !== undefined) expect(keys.get(value)).toBe(smallest);
          keys.delete(value ?? -1);
        } else if (heap.first !== undefined) {
          keys.set(heap.first, smallest + key);
          heap.rekeyFirst(smallest + key);
        }
        expect(heap.size).toBe(keys.size);
      });
    }),
  );
});
