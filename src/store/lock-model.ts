import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { HashOptions } from './hash-file.ts';
import { hashModelFile } from './hash-model-file.ts';
import { listFiles } from './list-files.ts';
import type { LockedFile, LockedModel } from './lock-file.ts';

export interface LockOptions extends Pick<HashOptions, 'onBytes' | 'signal'> {
  readonly repository: string;
  /** `main` when absent. */
  readonly revision: string | undefined;
  readonly commit: string;
}

/** Reads every file of a snapshot and says what it holds. @throws Error for a file that is missing or corrupt */
export async function lockModel(folder: string, options: LockOptions): Promise<LockedModel> {
  const { repository, revision = 'main', commit } = options;
  const files: [path: string, LockedFile][] = [];
  for (const file of listFiles(folder)) {
    const { path, sizeBytes } = file;
    if (sizeBytes === undefined) throw new Error(`${file.file} is missing; run \`embeddings verify ${repository}\``);
    files.push([path, { sizeBytes, sha256: await hashModelFile(file, options) }]);
  }
  return { repository, revision, commit, files: Object.fromEntries(files) };
}

/** Says which file is not as the lock has it, by size alone: contents take minutes to read. */
export function findLockProblem(folder: string, { files }: LockedModel): string | undefined {
  for (const [path, { sizeBytes }] of Object.entries(files)) {
    const got = statSync(join(folder, path), { throwIfNoEntry: false })?.size;
    if (got === undefined) return `${path} is missing, and the lock file has it`;
    if (got !== sizeBytes) return `${path} has ${got} bytes, and the lock file says ${sizeBytes}`;
  }
  return undefined;
}
