import { expect, test } from 'vitest';
import { createMetrics } from '../metrics/metrics.ts';
import { measureAtScrape, sumResident } from './scrape-gauges.ts';

const status = (anon: number, file: number) =>
  `Name:\tnode\nRssAnon:\t  ${anon} kB\nRssFile:\t${file} kB\nRssShmem:\t       1 kB\n`;

test('mapped files of several runners count once, their own memory each', () => {
  expect(sumResident([status(100, 50), status(200, 40)])).toBe((300 + 2 + 50) * 1024);
  expect(sumResident([])).toBeUndefined();
});

test('the gauges are set when they are scraped, and gone with the model', async () => {
  const metrics = createMetrics();
  const scheduler = { oldestWaitMs: 2500 };
  const stop = measureAtScrape(metrics, { model: 'm', runnerPids: () => [], scheduler });
  for (const measure of metrics.beforeScrape) measure();
  expect(await metrics.registry.metrics()).toContain('embeddings_queue_oldest_seconds{model="m"} 2.5');
  stop();
  stop();
  expect(metrics.beforeScrape.size).toBe(0);
  expect(await metrics.registry.metrics()).not.toContain('embeddings_queue_oldest_seconds{');
});
