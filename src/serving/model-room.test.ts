import fc from 'fast-check';
import { expect, test } from 'vitest';
import { manualClock } from '../../tests/serving/manual-clock.ts';
import { ModelRoom, type Occupant } from './model-room.ts';

/** A model that is in the room, on its way there, or has left. */
class FakeModel implements Occupant {
  readonly name: string;
  readonly memoryBytes: number;
  readonly lastUsedMs = 0;
  readonly readyMs = 0;
  isWanted = true;
  isPinned = false;
  isIdle = true;
  mayYield = false;
  isInside = false;
  isRetired = false;

  constructor(name: string, memoryBytes: number) {
    this.name = name;
    this.memoryBytes = memoryBytes;
  }

  get isClosing(): boolean {
    return this.isRetired && this.isIdle;
  }

  retire(): void {
    this.isRetired = true;
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('whatever comes and goes, the room never holds more than it may, and everybody gets in', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      sizes,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 10, max: 20 }),
      async (all, maxModels, maxBytes) => {
        const room = new ModelRoom({ maxModels, maxBytes, clock: manualClock() });
        const models = all.map((bytes, index) => new FakeModel(`m${index}`, bytes));
        const check = () => {
          const inside = models.filter(({ isInside }) => isInside);
          expect(inside.length).toBeLessThanOrEqual(maxModels);
          expect(inside.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)).toBeLessThanOrEqual(maxBytes);
        };
        const entered = models.map(async (model) => {
          await room.enter(model);
          model.isInside = true;
          check();
        });
        for (let turn = 0; turn < 3 * models.length; turn++) {
          await settled();
          const leaver = models.find((model) => model.isInside && model.isRetired);
          if (leaver === undefined) continue;
          leaver.isInside = false;
          room.leave(leaver);
        }
        await Promise.all(entered);
      },
    ),
    { numRuns: 200 },
  );
});

test('who stands first in line goes first, also where a smaller one would fit', async () => {
  const room = new ModelRoom({ maxModels: 9, maxBytes: 10, clock: manualClock() });
  const [held, big, small] = [new FakeModel('held', 5), new FakeModel('big', 8), new FakeModel('small', 1)];
  held.isIdle = false;
  await room.enter(held);
  const order: string[] = [];
  const entering = [big, small].map(async (model) => order.push((await room.enter(model), model.name)));
  await settled();
  expect(order).toEqual([]);
  held.isIdle = true;
  room.review();
  room.leave(held);
  await Promise.all(entering);
  expect(order).toEqual(['big', 'small']);
});

test('who gives up leaves the line, and the next one moves up', async () => {
  const room = new ModelRoom({ maxModels: 9, maxBytes: 10, clock: manualClock() });
  const [held, big, small] = [new FakeModel('held', 5), new FakeModel('big', 8), new FakeModel('small', 1)];
  held.isIdle = false;
  await room.enter(held);
  const abort = new AbortController();
  const given = expect(room.enter(big, abort.signal)).rejects.toThrow('given up');
  const entering = room.enter(small);
  abort.abort(new Error('given up'));
  await Promise.all([given, entering]);
  expect(room.occupants.map(({ name }) => name)).toEqual(['held', 'small']);
  expect(held.isRetired).toBe(false);
});

test('a busy model is asked to yield only after some patience', async () => {
  const clock = manualClock();
  const room = new ModelRoom({ maxModels: 1, maxBytes: 10, clock });
  const [held, next] = [new FakeModel('held', 1), new FakeModel('next', 1)];
  Object.assign(held, { isIdle: false, mayYield: true });
  await room.enter(held);
  const entering = room.enter(next);
  clock.pass(1999);
  expect(held.isRetired).toBe(false);
  clock.pass(1);
  expect(held.isRetired).toBe(true);
  room.leave(held);
  await entering;
});

test('a place that a model in use will leave is waited for, but not for ever: then the idle one goes', async () => {
  const clock = manualClock();
  const room = new ModelRoom({ maxModels: 3, maxBytes: 10, clock });
  const [draining, older, idle] = ['draining', 'older', 'idle'].map((name) => new FakeModel(name, 1));
  const next = new FakeModel('next', 1);
  for (const model of [draining!, older!, idle!]) await room.enter(model);
  Object.assign(draining!, { isIdle: false, isRetired: true });
  const entering = room.enter(next);
  clock.pass(1999);
  expect([older?.isRetired, idle?.isRetired]).toEqual([false, false]);
  clock.pass(1);
  expect([older?.isRetired, idle?.isRetired]).toEqual([true, false]);
  clock.pass(10_000);
  expect(idle?.isRetired).toBe(false); // one is enough
  room.leave(older!);
  await entering;
});
