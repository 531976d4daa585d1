import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { createVariantFinder, listVariants } from './list-variants.ts';

const model = { tasks: ['separation', 'query'], readRoutes: () => ['query', 'document'] };
const folder = (name: string) => fileURLToPath(new URL(`../../tests/goldens/models/pipeline/${name}`, import.meta.url));
const located = (name: string) => ({ kind: 'local', folder: folder(name) }) as const;
const entry = { line: 1, name: 'a', repository: 'a' };

test('adapters count always, routes only where the model is followed, and each name once', () => {
  expect(listVariants(model, 'mean')).toEqual(['separation', 'query']);
  expect(listVariants(model, 'model')).toEqual(['separation', 'query', 'document']);
});

test('variants are found without loading a model, by the pooling of its line, and each folder is read once', async () => {
  const find = createVariantFinder('model');
  const router = located('router');
  const [first, second] = await Promise.all([find(entry, router), find(entry, router)]);
  expect(first).toEqual(['query', 'document']);
  expect(second).toBe(first);
  expect(await find(entry, router)).toBe(first);
  expect(await find({ ...entry, pooling: 'mean' }, router)).toEqual([]);
  for (const name of ['cls', 'none']) expect(await find(entry, located(name))).toEqual([]);
});

test('a folder that cannot be read is read again when it is asked for again', async () => {
  const place = join(tempFolder(), 'model');
  mkdirSync(place);
  const find = createVariantFinder('model');
  const here = { kind: 'local', folder: place } as const;
  expect(await Promise.all([find(entry, here), find(entry, here)])).toEqual([[], []]);
  cpSync(folder('router'), place, { recursive: true });
  expect(await find(entry, here)).toEqual(['query', 'document']);
});
