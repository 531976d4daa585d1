import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { toBarChart } from './plot/bar-chart.ts';
import { toLineChart } from './plot/line-chart.ts';
import { readResults } from './plot/results.ts';
import type { Row } from './report.ts';

// Draws docs/plots/*.svg from the last results in .bench/.
//   node plots.js [--quick] [--out DIR]

type Plot = {
  readonly file: string;
  readonly part: string;
  readonly title: string;
  /** The measures shown: bars show one, lines each. */
  readonly names: readonly string[];
} & ({ readonly kind: 'bars' } | { readonly kind: 'lines'; readonly isLogX: boolean; readonly level?: string });

const gemm = 'matrix products';

const plots: readonly Plot[] = [
  { kind: 'bars', file: 'peers-bulk', part: 'peers', title: 'Bulk: 4 clients, 64 texts a request', names: ['bulk'] },
  { kind: 'bars', file: 'peers-cpu', part: 'peers', title: 'Bulk, by CPU time', names: ['bulk by CPU'] },
  { kind: 'bars', file: 'peers-query', part: 'peers', title: 'One query, idle server, p50', names: ['one query, p50'] },
  { kind: 'bars', file: 'peers-at-once', part: 'peers', title: '32 clients, short queries', names: ['32 at once'] },
  { kind: 'bars', file: 'peers-memory', part: 'peers', title: 'Memory (PSS) after bulk', names: ['memory after bulk'] },
  {
    kind: 'bars',
    file: 'peers-start',
    part: 'peers',
    title: 'Process start to first vector',
    names: ['start to first vector'],
  },
  { kind: 'lines', file: 'batch', part: 'batch', title: 'Rate by texts a request', names: ['rate'], isLogX: true },
  { kind: 'lines', file: 'concurrency', part: 'concurrency', title: 'Rate by clients', names: ['rate'], isLogX: true },
  {
    kind: 'lines',
    file: 'concurrency-latency',
    part: 'concurrency',
    title: 'Time of a query by clients',
    names: ['p50', 'p99'],
    isLogX: true,
  },
  {
    kind: 'lines',
    file: 'open-loop',
    part: 'open',
    title: 'Time of a query by offered load',
    names: ['p50', 'p99'],
    isLogX: false,
  },
  { kind: 'lines', file: 'length', part: 'length', title: 'Rate by length, MiniLM', names: ['rate'], isLogX: true },
  {
    kind: 'lines',
    file: 'length-work',
    part: 'length',
    title: 'Work by length, MiniLM',
    names: ['work by CPU'],
    isLogX: true,
    level: gemm,
  },
  {
    kind: 'lines',
    file: 'long-lengths',
    part: 'long-lengths',
    title: 'Work by length, 12 layers, 768 wide',
    names: ['work by CPU'],
    isLogX: true,
    level: gemm,
  },
];

const root = resolve(fileURLToPath(import.meta.url), '../../..'); // this runs from .bench/build/
const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, out: { type: 'string', default: join(root, 'docs/plots') } },
});
const results = readResults({ folder: join(root, '.bench'), isQuickTaken: values.quick });
mkdirSync(values.out, { recursive: true });
for (const plot of plots) {
  const rows = results.get(plot.part) ?? [];
  const shown = rows.filter((row) => plot.names.includes(row.name));
  if (shown.length === 0) {
    process.stdout.write(`no results of ${plot.part}: ${plot.file}.svg is left as it is\n`);
    continue;
  }
  writeFileSync(join(values.out, `${plot.file}.svg`), draw(plot, shown, rows));
  process.stdout.write(`![${plot.title}](plots/${plot.file}.svg)\n`);
}

function draw(plot: Plot, shown: readonly Row[], rows: readonly Row[]): string {
  const unit = shown[0]?.unit ?? '';
  if (plot.kind === 'bars') {
    const bars = shown.map((row) => ({ ...row, name: row.contestant ?? '' }));
    return toBarChart({ title: plot.title, unit, bars });
  }
  const toName = (row: Row): string => [row.contestant, ...(plot.names.length > 1 ? [row.name] : [])].join(', ');
  const names = [...new Set(shown.map(toName))];
  const series = names.map((name) => ({
    name,
    points: shown
      .filter((row) => toName(row) === name)
      .map((row) => ({ ...row, x: row.at?.value ?? Number.NaN, y: row.value })),
  }));
  const prefix = plot.level;
  const level = prefix === undefined ? undefined : rows.find((row) => row.name.startsWith(prefix));
  return toLineChart({
    title: plot.title,
    xLabel: shown[0]?.at?.axis ?? '',
    yLabel: unit,
    isLogX: plot.isLogX,
    series,
    ...(level === undefined ? {} : { level: { name: `${gemm} alone`, value: level.value } }),
  });
}
