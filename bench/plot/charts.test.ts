import { expect, test } from 'vitest';
import { toBarChart } from './bar-chart.ts';
import { toLineChart } from './line-chart.ts';
import { toParts } from './results.ts';

test('bars are as long as their values, and names are escaped', () => {
  const bars = [
    { name: 'a & b', value: 100 },
    { name: 'c', value: 50 },
  ];
  const image = toBarChart({ title: 'Rate', unit: 'texts/s', bars });
  const widths = [...image.matchAll(/height="18" fill/g)];
  expect(widths).toHaveLength(2);
  expect([...image.matchAll(/width="(\d+)" height="18"/g)].map(([, width]) => Number(width))).toEqual([470, 235]);
  expect(image).toContain('a &amp; b');
  expect(image).toContain('texts/s');
});

test('a line chart names its axes, its lines and its level', () => {
  const series = [{ name: 'ours', points: [1, 2].map((x) => ({ x, y: 10 * x })) }];
  const image = toLineChart({
    title: 'Rate',
    xLabel: 'clients',
    yLabel: 'queries/s',
    isLogX: true,
    series,
    level: { name: 'most', value: 25 },
  });
  for (const text of ['clients', 'queries/s', 'ours', 'most']) expect(image).toContain(`>${text}</text>`);
  expect(image).toContain('points="76,226.4 552,104.8"');
});

test('only lines that are rows of a report are drawn', () => {
  const row = { part: 'batch', name: 'rate', unit: 'x', value: 1 };
  const parts = toParts([
    { machine: {} },
    { part: 'batch', round: 0, taken: [row] },
    row,
    { part: 'batch', leftOut: true },
  ]);
  expect([...parts]).toEqual([['batch', [row]]]);
});
