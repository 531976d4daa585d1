import { statSync } from 'node:fs';
import { join } from 'node:path';
import { findRoomProblem, readFreeBytes } from '../disk-room.ts';
import { ArchiveError } from './read-archive.ts';

interface ComingFile {
  readonly home: string;
  /** Below `home`. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** Refuses before hours of copying what cannot fit. @throws ArchiveError */
export async function checkRoom(files: readonly ComingFile[]): Promise<void> {
  const needed = new Map<string, number>();
  for (const { home, path, sizeBytes } of files) {
    const isHere = statSync(join(home, path), { throwIfNoEntry: false })?.size === sizeBytes;
    needed.set(home, (needed.get(home) ?? 0) + (isHere ? 0 : sizeBytes));
  }
  for (const [folder, neededBytes] of needed) {
    const problem = findRoomProblem({ folder, neededBytes, freeBytes: await readFreeBytes(folder) });
    if (problem !== undefined) throw new ArchiveError(`${problem} Free some, then import again.`);
  }
}
