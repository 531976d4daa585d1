import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tempFolder } from './temp-folder.ts';

/** A folder with these files; values that are no text are written as JSON. */
export function folderOf(files: Readonly<Record<string, unknown>>): string {
  const folder = tempFolder();
  for (const [name, value] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  }
  return folder;
}

/** modules.json with these steps, `Dense` at `2_Dense` for instance, in the dialect of sentence-transformers 5. */
export function modulesOf(...kinds: readonly string[]): readonly object[] {
  return kinds.map((kind, idx) => ({
    idx,
    name: String(idx),
    path: idx === 0 ? '' : `${idx}_${kind}`,
    type: `sentence_transformers.models.${kind}`,
  }));
}
