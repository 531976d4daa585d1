import fc from 'fast-check';
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

const served = (queue: Queue, owners: ReadonlyMap<Entry, string>, batches: number): Map<string, number> => {
  const tokens = new Map<string, number>();
  for (let i = 0; i < batches; i++) {
    for (const entry of queue.take(limits)) {
      const owner = owners.get(entry)!;
      tokens.set(owner, (tokens.get(owner) ?? 0) + entry.ids.length);
    }
  }
  return tokens;
};

/** Adds requests of a caller and remembers whose entries they are. */
function addRequests(
  queue: Queue,
  owners: Map<Entry, string>,
  { caller, requests, entries, length }: { caller: string; requests: number; entries: number; length: number },
): void {
  for (let i = 0; i < requests; i++) {
    const made = entriesOf(entries, length);
    for (const entry of made) owners.set(entry, caller);
    queue.add(made, caller);
  }
}

test('a caller with a hundred requests gets no more than one with a single request', () => {
  const queue = new Queue({ smallTokens: 50 });
  const owners = new Map<Entry, string>();
  addRequests(queue, owners, { caller: 'many', requests: 100, entries: 20, length: 20 });
  addRequests(queue, owners, { caller: 'one', requests: 1, entries: 100, length: 30 });
  const tokens = served(queue, owners, 40);
  expect(Math.abs(tokens.get('many')! - tokens.get('one')!)).toBeLessThanOrEqual(2 * limits.maxTokens);
});

test('callers that all have work are served alike, whatever their requests look like', () => {
  const shape = fc.record({
    requests: fc.integer({ min: 1, max: 30 }),
    length: fc.integer({ min: 5, max: 60 }),
    isBulk: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(shape, { minLength: 2, maxLength: 5 }), (shapes) => {
      const queue = new Queue({ smallTokens: 50 });
      const owners = new Map<Entry, string>();
      const total = 2000; // tokens of each
      shapes.forEach(({ requests, length, isBulk }, index) => {
        const entries = Math.ceil(total / length);
        const each = isBulk ? Math.ceil(entries / requests) : 1;
        const amount = { requests: isBulk ? requests : entries, entries: each, length };
        addRequests(queue, owners, { caller: `c${index}`, ...amount });
      });
      const tokens = served(queue, owners, 10 * shapes.length); // at most half of what each has
      const amounts = shapes.map((_, index) => tokens.get(`c${index}`) ?? 0);
      // A batch, the head start of small requests, and a batch that others' entries joined.
      expect(Math.max(...amounts) - Math.min(...amounts)).toBeLessThanOrEqual(4 * limits.maxTokens);
    }),
    { numRuns: 200 },
  );
});

test('a query of another caller is in the very next batch, also when its caller asks again and again', () => {
  const queue = new Queue({ smallTokens: 50 });
  queue.add(entriesOf(2048, 20), 'bulk');
  for (let i = 0; i < 20; i++) {
    queue.take(limits);
    queue.take(limits);
    const query = entryOf(20);
    queue.add([query], 'queries');
    expect(queue.take(limits)).toEqual([query]);
  }
});

test('a caller that sends nothing but small requests without end gets half of the work beside one bulk request', () => {
  const queue = new Queue({ smallTokens: 50 });
  const large = new Set(entriesOf(2000, 50));
  queue.add([...large], 'bulk');
  for (let client = 0; client < 64; client++) queue.add([entryOf(8)], 'queries');
  let all = 0;
  let bulk = 0;
  for (let batch = 0; batch < 500; batch++) {
    for (const entry of queue.take(limits)) {
      all += entry.ids.length;
      if (large.has(entry)) bulk += entry.ids.length;
      else queue.add([entryOf(8)], 'queries');
    }
  }
  expect(bulk / all).toBeGreaterThan(0.45);
  expect(bulk / all).toBeLessThan(0.55);
});

test('every entry leaves once, whoever shares it and whatever is dropped; nothing is counted of anyone then', () => {
  const request = fc.record({
    caller: fc.constantFrom('a', 'b', 'c'),
    picks: fc.array(fc.nat(39), { minLength: 1, maxLength: 20 }),
    isThenTaken: fc.boolean(),
    dropped: fc.option(fc.nat(39), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
      const queue = new Queue({ smallTokens: 50 });
      const pool = Array.from({ length: 40 }, (_, index) => entryOf(1 + ((index * 7) % 45)));
      const added = new Set<Entry>();
      const left: Entry[] = [];
      for (const { caller, picks, isThenTaken, dropped } of requests) {
        const wanted = [...new Set(picks)].map((index) => pool[index]!).filter(({ state }) => state === 'waiting');
        for (const entry of wanted) added.add(entry);
        queue.add(wanted, caller);
        if (isThenTaken) left.push(...queue.take(limits));
        const gone = dropped === undefined ? undefined : pool[dropped]!;
        if (gone !== undefined && added.has(gone) && gone.state === 'waiting') {
          queue.drop(gone);
          left.push(gone);
        }
        const waiting = [...added].filter(({ state }) => state === 'waiting');
        expect(queue.tokens).toBe(waiting.reduce((sum, { ids }) => sum + ids.length, 0));
        expect(queue.tokensOf('a') + queue.tokensOf('b') + queue.tokensOf('c')).toBe(queue.tokens);
      }
      for (let batch = queue.take(limits); batch.length > 0; batch = queue.take(limits)) left.push(...batch);
      expect(left).toHaveLength(added.size);
      expect(new Set(left)).toEqual(added);
      expect(queue.tokens).toBe(0);
    }),
  );
});

test('what goes before a request is its share of what waits, not all of it', () => {
  const queue = new Queue({ smallTokens: 50 });
  expect(queue.tokensBefore(20, 'a')).toBe(0);
  queue.add(entriesOf(100, 20), 'bulk');
  expect(queue.tokensBefore(20, 'bulk')).toBe(20); // the other request of the same caller in turn with it
  expect(queue.tokensBefore(300, 'other')).toBe(300);
  expect(queue.tokensBefore(9000, 'other')).toBe(2000); // all there is
});
