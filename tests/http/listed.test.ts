import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { errorTable } from '../../src/errors.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { startFake } from './fakes.ts';

const read = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
/** The cells of every table row whose first cell is code. */
const rows = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
const unquote = (cell = '') => cell.replaceAll('`', '');

/** Whatever their order; a difference shows its rows. */
function expectSame(listed: readonly string[], actual: readonly string[]): void {
  expect(new Set(listed)).toEqual(new Set(actual));
  expect(listed).toHaveLength(actual.length);
}

const { app } = await startFake();
afterAll(() => app.close());

test('docs/errors.md has every error with its status, type and code, and no other', () => {
  const listed = rows(read('errors.md')).map((cells) => cells.slice(0, 4).map(unquote).join(' '));
  const actual = Object.entries(errorTable).map(([name, row]) => {
    const code = 'code' in row ? String(row.code) : name;
    return [name, row.status, row.type, code].join(' ');
  });
  expectSame(listed, actual);
});

test('docs/metrics.md has every metric of ours with its type and labels, and no other', async () => {
  const listed = rows(read('metrics.md')).map((cells) => cells.slice(0, 3).map(unquote).join(' '));
  const metrics = createMetrics();
  const actual = Object.values(metrics)
    .filter((metric) => 'name' in metric && 'labelNames' in metric)
    .map((metric) => {
      const { name, labelNames } = metric as unknown as { name: string; labelNames: readonly string[] };
      return `${name} ${metric.constructor.name.toLowerCase()} ${labelNames.join(', ')}`;
    });
  expect(actual.length).toBeGreaterThan(10);
  expectSame(listed, actual);
});

test('docs/api.md and the description list every route, and no other', async () => {
  const listed = rows(read('api.md'))
    .map(([route]) => unquote(route))
    .filter((route) => /^(GET|POST) /.test(route));
  const registered = registeredRoutes().filter((route) => !/^GET \/(docs|redoc)\//.test(route)); // files of the pages
  expect(registered.length).toBeGreaterThan(10);
  expectSame(listed, registered);

  const { paths } = (await app.inject('/openapi.json')).json<{ paths: Record<string, object> }>();
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expectSame([...described, 'GET /docs'], registered);
});

/** Read from the router's own tree, where each line is the rest of the path of the line it hangs on. */
function registeredRoutes(): string[] {
  const prefixes: string[] = [];
  const routes: string[] = [];
  for (const line of app.printRoutes().split('\n')) {
    const found = /^(.*)── (\S+|\(empty root node\))(?: \((.*)\))?$/.exec(line);
    if (found === null) continue;
    const [, indent = '', segment = '', methods = ''] = found;
    const depth = (indent.length - 1) / 4;
    const path = (prefixes[depth - 1] ?? '') + (segment.startsWith('(') ? '' : segment);
    prefixes[depth] = path;
    for (const method of methods.split(', '))
      if (/GET|POST/.test(method)) routes.push(`${method} ${toDocumented(path)}`);
  }
  return routes;
}

function toDocumented(path: string): string {
  return path
    .replace(/^(\/openai\/deployments\/)\*$/, '$1{model}/embeddings')
    .replace(/^(\/v1\/models\/)\*$/, '$1{model}');
}
