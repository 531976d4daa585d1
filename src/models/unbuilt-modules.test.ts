import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readUnbuiltModules } from './unbuilt-modules.ts';

function folderWith(modules?: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'modules-'));
  if (modules !== undefined) writeFileSync(join(folder, 'modules.json'), JSON.stringify(modules));
  return folder;
}

test('transformer, pooling and normalisation are built, in both dialects', () => {
  const legacy = ['Transformer', 'Pooling', 'Normalize'].map((name) => ({
    type: `sentence_transformers.models.${name}`,
  }));
  const current = ['Transformer', 'Pooling'].map((name) => ({ type: `sentence_transformers.base.modules.${name}` }));
  expect(readUnbuiltModules(folderWith([...legacy, ...current]))).toEqual([]);
});

test('a dense layer is named', () => {
  expect(readUnbuiltModules(folderWith([{ type: 'sentence_transformers.models.Dense' }]))).toEqual(['Dense']);
});

test('a folder without the file has none', () => {
  expect(readUnbuiltModules(folderWith())).toEqual([]);
});
