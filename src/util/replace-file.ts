import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ReplaceOptions {
  /** Permission bits that the new file is made with, less the umask. */
  readonly mode?: number;
  /** Called with the path of the new file before it takes the place of the old one. */
  readonly prepare?: (temporary: string) => void;
}

/** Writes a small file so that readers see the old or the new one, never a part. */
export function replaceFile(path: string, text: string, { mode, prepare }: ReplaceOptions = {}): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true }); // of a process of this number that was killed
  try {
    writeFileSync(temporary, text, { flush: true, flag: 'wx', mode });
    prepare?.(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
