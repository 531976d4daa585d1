import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ArchiveError } from './read-archive.ts';

interface ComingFile {
  readonly home: string;
  /** Below `home`. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** Refuses before hours of copying what cannot fit. @throws ArchiveError */
export function checkRoom(files: readonly ComingFile[]): void {
  const needed = new Map<string, number>();
  for (const { home, path, sizeBytes } of files) {
    const isHere = statSync(join(home, path), { throwIfNoEntry: false })?.size === sizeBytes;
    needed.set(home, (needed.get(home) ?? 0) + (isHere ? 0 : sizeBytes));
  }
  for (const [home, neededBytes] of needed) {
    const { bavail, bsize } = statfsSync(nearestFolder(home));
    if (neededBytes > bavail * bsize)
      throw new ArchiveError(`expected ${neededBytes} bytes of room for ${home}, got ${bavail * bsize}; free some`);
  }
}

function nearestFolder(path: string): string {
  return existsSync(path) ? path : nearestFolder(dirname(path));
}
