import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile } from './read-json-file.ts';

const builtModules = ['Transformer', 'Pooling', 'Normalize'];

/**
 * The steps of a model's sentence-transformers pipeline that no graph is built for, such as `Dense`: following the
 * model without them would give other vectors.
 */
export function readUnbuiltModules(folder: string): readonly string[] {
  const file = join(folder, 'modules.json');
  const modules: unknown = existsSync(file) ? readJsonFile(file) : [];
  if (!Array.isArray(modules)) return [];
  const names = modules.map((module: { type?: unknown } | null) => String(module?.type).split('.').at(-1) ?? '');
  return names.filter((name) => !builtModules.includes(name));
}
