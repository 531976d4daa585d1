import { readFileSync } from 'node:fs';

/** How many files and connections this process may have open; undefined where the system does not say. */
export function maxOpenFiles(read: () => string = () => readFileSync('/proc/self/limits', 'utf8')): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(read())?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
