import { expect, test } from 'vitest';
import { toRows } from './turns.ts';

test('the rounds of a measure become one row, those of each point of a sweep another', () => {
  const at = (value: number): { axis: string; value: number } => ({ axis: 'clients', value });
  const rows = toRows([
    { name: 'rate', unit: 'x', value: 1, at: at(1) },
    { name: 'rate', unit: 'x', value: 5, at: at(2) },
    { name: 'rate', unit: 'x', value: 3, at: at(1) },
    { name: 'rate', unit: 'x', value: 7, at: at(2) },
    { name: 'start', unit: 's', value: 9 },
  ]);
  expect(rows).toMatchObject([
    { name: 'rate', at: at(1), value: 2, spread: [1, 3], rounds: [1, 3] },
    { name: 'rate', at: at(2), value: 6 },
    { name: 'start', value: 9 },
  ]);
});
