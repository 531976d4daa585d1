import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of all files below a folder, links followed, `.git` left out. */
export function folderSizeBytes(folder: string): number {
  let sizeBytes = 0;
  for (const name of readdirSync(folder)) {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false }); // nothing behind a broken link
    if (stat?.isFile() === true) sizeBytes += stat.size;
    else if (stat?.isDirectory() === true && name !== '.git') sizeBytes += folderSizeBytes(join(folder, name));
  }
  return sizeBytes;
}
