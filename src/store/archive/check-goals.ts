import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ArchiveError } from './read-archive.ts';

/** Refuses what could not be moved to its place at the end: a folder where a file goes, or a file on the way. @throws ArchiveError */
export function checkGoals(files: readonly { readonly home: string; readonly path: string }[]): void {
  const good = new Set<string>();
  for (const { home, path } of files) {
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth++) {
      const folder = join(home, ...names.slice(0, depth));
      if (good.has(folder)) continue;
      if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false)
        throw new ArchiveError(`expected a folder or nothing at ${folder}, got a file; remove it`);
      good.add(folder);
    }
    if (lstatSync(join(home, path), { throwIfNoEntry: false })?.isDirectory() === true)
      throw new ArchiveError(`expected a file or nothing at ${join(home, path)}, got a folder; remove it`);
  }
}
