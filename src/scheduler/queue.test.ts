import { expect, test } from 'vitest';
import type { Entry } from './entry.ts';
import { keyOf } from './entry.ts';
import { Queue } from './queue.ts';

const limits = {
  maxTokens: 100,
  cost: (lengths: readonly number[]) => 10 + lengths.reduce((sum, length) => sum + length, 0),
};
let nextId = 0;

function entryOf(length: number): Entry {
  const ids = new Int32Array(length).fill(nextId++);
  return { ids, key: keyOf({ ids }), queuedAtMs: 0, waiters: [], state: 'waiting', failures: 0 };
}

const entriesOf = (count: number, length: number) => Array.from({ length: count }, () => entryOf(length));

test('an empty queue gives no batch', () => {
  expect(new Queue({ smallTokens: 50 }).take(limits)).toEqual([]);
});

test('every entry leaves once, and the tokens that wait are counted exactly', () => {
  const queue = new Queue({ smallTokens: 50 });
  const entries = [...entriesOf(30, 20), ...entriesOf(7, 33), ...entriesOf(1, 400)];
  queue.add(entries);
  expect(queue.tokens).toBe(30 * 20 + 7 * 33 + 400);
  const seen: Entry[] = [];
  for (let batch = queue.take(limits); batch.length > 0; batch = queue.take(limits)) seen.push(...batch);
  expect(new Set(seen)).toEqual(new Set(entries));
  expect(seen).toHaveLength(entries.length);
  expect(queue.tokens).toBe(0);
});

test('a single query that comes after 2048 inputs is in the very next batch, without their work', () => {
  const queue = new Queue({ smallTokens: 50 });
  queue.add(entriesOf(2048, 20));
  for (let i = 0; i < 10; i++) queue.take(limits);
  const query = entryOf(20);
  queue.add([query]);
  expect(queue.take(limits)).toEqual([query]);
});

test('two large requests are served in turn', () => {
  const queue = new Queue({ smallTokens: 50 });
  const a = entriesOf(100, 20);
  const b = entriesOf(100, 50);
  queue.add(a);
  queue.add(b);
  let tokensOfA = 0;
  let tokensOfB = 0;
  for (let i = 0; i < 20; i++) {
    for (const entry of queue.take(limits)) {
      if (a.includes(entry)) tokensOfA += entry.ids.length;
      else tokensOfB += entry.ids.length;
    }
  }
  expect(Math.abs(tokensOfA - tokensOfB)).toBeLessThanOrEqual(limits.maxTokens);
});

test('queries of many small requests share a batch', () => {
  const queue = new Queue({ smallTokens: 50 });
  const queries = [9, 8, 10, 9].map(entryOf);
  for (const query of queries) queue.add([query]);
  expect(new Set(queue.take(limits))).toEqual(new Set(queries));
});

test('a dropped entry never runs and no longer counts', () => {
  const queue = new Queue({ smallTokens: 50 });
  const [gone, kept] = [entryOf(20), entryOf(20)];
  queue.add([gone, kept]);
  queue.drop(gone);
  expect(queue.tokens).toBe(20);
  expect(queue.take(limits)).toEqual([kept]);
  expect(queue.take(limits)).toEqual([]);
});

test('an entry that waits for two requests runs once, at the turn of the earlier one', () => {
  const queue = new Queue({ smallTokens: 50 });
  const bulk = entriesOf(50, 20);
  queue.add(bulk);
  queue.take(limits);
  const shared = bulk[40]!;
  queue.add([shared]);
  queue.take(limits);
  queue.take(limits);
  expect(shared.state).toBe('running');
  let rest = 0;
  for (let batch = queue.take(limits); batch.length > 0; batch = queue.take(limits)) {
    expect(batch).not.toContain(shared);
    rest += batch.length;
  }
  expect(rest).toBeLessThan(50);
  expect(queue.tokens).toBe(0);
});

test('an entry put back after a failure goes next, and alone', () => {
  const queue = new Queue({ smallTokens: 50 });
  queue.add(entriesOf(3, 20));
  const [failed] = queue.take({ ...limits, maxTokens: 20 });
  queue.retry(failed!);
  expect(queue.take(limits)).toEqual([failed]);
});

test('a large request gets its share of a machine that single queries keep busy without end', () => {
  const queue = new Queue({ smallTokens: 50 });
  const large = new Set(entriesOf(64, 50));
  queue.add([...large]);
  for (let client = 0; client < 64; client++) queue.add([entryOf(8)]);
  let servedTokens = 0;
  let largeTokens = 0;
  for (let batch = 0; batch < 1000; batch++) {
    for (const entry of queue.take(limits)) {
      servedTokens += entry.ids.length;
      if (large.has(entry)) largeTokens += entry.ids.length;
      else queue.add([entryOf(8)]); // each client asks again at once
    }
  }
  expect(largeTokens).toBeGreaterThan((0.8 * servedTokens) / 65);
});
