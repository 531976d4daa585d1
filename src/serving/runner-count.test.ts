import { expect, test } from 'vitest';
import { createMetrics } from '../metrics/metrics.ts';
import { countRunners } from './runner-count.ts';

function stage() {
  const { runners } = createMetrics();
  const ready = async () => (await runners.get()).values.map(({ labels, value }) => [labels.model, value]);
  return { runners, ready };
}

test('a runner that crashes again while it loads counts as gone once', async () => {
  const { runners, ready } = stage();
  const count = countRunners(runners, 'a');
  const [one, two] = [Symbol(), Symbol()];
  count.up(one);
  count.up(two);
  count.down(one);
  count.down(one);
  expect(await ready()).toEqual([['a', 1]]);
  count.up(one);
  expect(await ready()).toEqual([['a', 2]]);
});

test('closing takes away the runners of this model and leaves those of its successor under the same name', async () => {
  const { runners, ready } = stage();
  const before = countRunners(runners, 'a');
  before.up(Symbol());
  countRunners(runners, 'a').up(Symbol());
  before.close();
  before.close();
  before.up(Symbol());
  expect(await ready()).toEqual([['a', 1]]);
});
