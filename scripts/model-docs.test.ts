import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { architectures } from '../src/models/registry.ts';
import { parseAllowlist } from '../src/store/allowlist.ts';
import { toModelDocs } from './model-docs.ts';

const root = join(import.meta.dirname, '..');
const list = parseAllowlist(readFileSync(join(root, 'supported_models.txt'), 'utf8'));
const allowed = list.entries.map(({ repository }) => repository);
const documented = Object.fromEntries(
  await Promise.all(
    Object.entries(architectures).map(async ([name, { modelTypes, load }]) => {
      const { about = { unusual: '', examples: [] } } = await load();
      return [name, { modelTypes, about }] as const;
    }),
  ),
);

test('docs/models.md is what the registry says; `npm run docs` writes it', async () => {
  await expect(toModelDocs(documented, allowed)).toMatchFileSnapshot(join(root, 'docs/models.md'));
});

test.each(Object.entries(documented))('%s says what is unusual and names a repository', (_name, { about }) => {
  expect(about.unusual).toMatch(/^\w[^|]+$/);
  expect(about.examples.length).toBeGreaterThan(0);
});

test('every model of the shipped allowlist stands in one row', () => {
  const examples = Object.values(documented).flatMap(({ about }) => about.examples);
  expect(new Set(examples).size).toBe(examples.length);
  expect(allowed.filter((id) => !examples.includes(id))).toEqual([]);
});
