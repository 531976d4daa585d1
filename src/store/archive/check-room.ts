import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { ArchiveError } from './read-archive.ts';

/** Refuses before hours of copying what cannot fit. @throws ArchiveError */
export function checkRoom(files: readonly { readonly home: string; readonly sizeBytes: number }[]): void {
  const needed = new Map<string, number>();
  for (const { home, sizeBytes } of files) needed.set(home, (needed.get(home) ?? 0) + sizeBytes);
  for (const [home, neededBytes] of needed) {
    const { bavail, bsize } = statfsSync(nearestFolder(home));
    if (neededBytes > bavail * bsize)
      throw new ArchiveError(`expected ${neededBytes} bytes of room for ${home}, got ${bavail * bsize}; free some`);
  }
}

function nearestFolder(path: string): string {
  return existsSync(path) ? path : nearestFolder(dirname(path));
}
