import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { errorTable } from '../../src/errors.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { selectorsOf } from './promql.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}
interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string; readonly refId: string; readonly datasource: object }[];
  }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const { groups } = parse(read('deploy/prometheus/alerts.yaml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('deploy/grafana/embeddings.json')) as Dashboard;
const expressions = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
  ...dashboard.templating.list.flatMap(({ name, definition }) =>
    definition === undefined ? [] : [[name, definition] as const],
  ),
];

/** Labels of every series that a scrape gives, by name. */
const series = new Map<string, ReadonlySet<string>>([['up', new Set()]]);
for (const { name, type, labelNames = [] } of await listMetrics()) {
  const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  for (const suffix of suffixes)
    series.set(name + suffix, new Set([...labelNames, ...(suffix === '_bucket' ? ['le'] : [])]));
}

async function listMetrics() {
  const { registry } = createMetrics();
  const known = registry.getMetricsAsArray() as unknown as { name: string; labelNames?: readonly string[] }[];
  const described = await registry.getMetricsAsJSON();
  return described.map(({ name, type }) => ({
    name,
    type: String(type),
    labelNames: known.find((metric) => metric.name === name)?.labelNames,
  }));
}

test.each(expressions)('%s reads series and labels that there are: %s', (_name, expr) => {
  const selectors = selectorsOf(expr);
  expect(selectors.length).toBeGreaterThan(0);
  for (const { metric, labels } of selectors) {
    expect([...series.keys()]).toContain(metric);
    const known = ['job', 'instance', ...series.get(metric)!];
    expect(known, metric).toEqual(expect.arrayContaining([...labels]));
  }
});

test('names, matchers and the labels of aggregations are read from an expression', () => {
  expect(
    selectorsOf('sum by (job, le) (rate(a_total{b="x{}",c=~"y|z"}[5m])) / on (job) group_left () d > 0.5'),
  ).toEqual([
    { metric: 'a_total', labels: ['b', 'c'] },
    { metric: 'd', labels: [] },
  ]);
});

test('codes of errors that the rules name are rows of errors.ts', () => {
  const codes = rules.flatMap(({ expr }) =>
    [...expr.matchAll(/code=~?"([^"]+)"/g)].flatMap(([, list = '']) => list.split('|')),
  );
  expect(codes.length).toBeGreaterThan(4);
  expect(codes.filter((code) => !(code in errorTable))).toEqual([]);
});

test.each(rules)('$alert says what is wrong and where to read on', ({ alert, labels, annotations }) => {
  expect(alert).toMatch(/^Embeddings[A-Z]\w+$/);
  expect(['warning', 'critical']).toContain(labels.severity);
  expect(annotations.summary).toMatch(/\{\{/);
  expect(annotations.description).toMatch(/\.$/);
  expect(annotations.runbook_url).toMatch(new RegExp(`/docs/operations\\.md#${alert.toLowerCase()}$`));
  expect(read('docs/operations.md')).toContain(`\n### ${alert}\n`);
});

test('the runbook has no entry without an alert', () => {
  const [, runbook = ''] = read('docs/operations.md').split('\n## Runbook\n');
  const entries = [...runbook.matchAll(/^### (Embeddings\w+)$/gm)].map(([, name]) => name);
  expect(entries).toEqual(rules.map(({ alert }) => alert));
});

test('the panels of the dashboard have ids of their own and do not overlap', () => {
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
});

test('every panel asks the data source that the viewer chose', () => {
  const targets = dashboard.panels.flatMap((panel) => panel.targets ?? []);
  expect(targets.length).toBeGreaterThan(30);
  for (const { datasource } of targets) expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
  expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance', 'model']);
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

test.skipIf(!hasPromtool)('promtool takes the rules, and they fire when they should', () => {
  for (const args of [
    ['check', 'rules', 'alerts.yaml'],
    ['test', 'rules', 'alerts.test.yaml'],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, {
      cwd: join(root, 'deploy/prometheus'),
      encoding: 'utf8',
    });
    expect(status, stdout + stderr).toBe(0);
  }
});
