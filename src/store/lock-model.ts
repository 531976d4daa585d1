import type { HashOptions } from './hash-file.ts';
import { hashModelFile } from './hash-model-file.ts';
import { listFiles, sumSizes } from './list-files.ts';
import type { LockedFile, LockedModel } from './lock-file.ts';

export interface LockOptions extends Pick<HashOptions, 'onBytes' | 'signal'> {
  readonly repository: string;
  /** `main` when absent. */
  readonly revision: string | undefined;
  readonly commit: string;
  /** Once, with the bytes that will be read. */
  readonly onStart?: ((totalBytes: number) => void) | undefined;
}

/** Reads every file of a snapshot and says what it holds. @throws Error for a file that is missing or corrupt */
export async function lockModel(folder: string, options: LockOptions): Promise<LockedModel> {
  const { repository, revision = 'main', commit, onStart } = options;
  const found = listFiles(folder);
  onStart?.(sumSizes(found));
  const files: [path: string, LockedFile][] = [];
  for (const file of found) {
    const { path, sizeBytes } = file;
    if (sizeBytes === undefined) throw new Error(`${file.file} is missing; run \`embeddings verify ${repository}\``);
    files.push([path, { sizeBytes, sha256: await hashModelFile(file, options) }]);
  }
  return { repository, revision, commit, files: Object.fromEntries(files) };
}
