import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { formatBytes } from '../util/format-bytes.ts';

export interface RoomNeeded {
  readonly folder: string;
  readonly neededBytes: number;
  readonly freeBytes: number;
}

/** Says what is wanting where so many bytes do not fit. */
export function findRoomProblem({ folder, neededBytes, freeBytes }: RoomNeeded): string | undefined {
  if (neededBytes <= freeBytes) return undefined;
  return `There is no room in ${folder}: ${formatBytes(neededBytes)} are needed, and ${formatBytes(freeBytes)} are free.`;
}

/** Bytes that may still be written to the file system of a folder, which need not be there yet. */
export async function readFreeBytes(folder: string): Promise<number> {
  if (!existsSync(folder)) return readFreeBytes(dirname(folder));
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
