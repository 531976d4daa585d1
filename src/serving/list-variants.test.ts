import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { createVariantFinder, listVariants } from './list-variants.ts';

const model = { tasks: ['separation', 'query'], readRoutes: () => ['query', 'document'] };
const folder = (name: string) => fileURLToPath(new URL(`../../tests/goldens/models/pipeline/${name}`, import.meta.url));
const entry = { line: 1, name: 'a', repository: 'a' };

test('adapters count always, routes only where the model is followed, and each name once', () => {
  expect(listVariants(model, 'mean')).toEqual(['separation', 'query']);
  expect(listVariants(model, 'model')).toEqual(['separation', 'query', 'document']);
});

test('variants are found without loading a model, by the pooling of its line, and each folder is read once', async () => {
  const asked: string[] = [];
  const find = createVariantFinder({
    locate: ({ repository }) => {
      asked.push(repository);
      return repository === 'gone' ? undefined : { kind: 'local', folder: folder(repository) };
    },
    pooling: 'model',
  });
  const router = { ...entry, repository: 'router' };
  const [first, second] = await Promise.all([find(router), find(router)]);
  expect(first).toEqual(['query', 'document']);
  expect(second).toBe(first);
  expect(await find(router)).toBe(first);
  expect(await find({ ...router, pooling: 'mean' })).toEqual([]);
  for (const repository of ['cls', 'gone', 'none']) expect(await find({ ...entry, repository })).toEqual([]);
  expect(asked.at(-1)).toBe('none');
});

test('a folder that cannot be read is read again when it is asked for again', async () => {
  const place = join(tempFolder(), 'model');
  mkdirSync(place);
  const find = createVariantFinder({ locate: () => ({ kind: 'local', folder: place }), pooling: 'model' });
  expect(await Promise.all([find(entry), find(entry)])).toEqual([[], []]);
  cpSync(folder('router'), place, { recursive: true });
  expect(await find(entry)).toEqual(['query', 'document']);
});
