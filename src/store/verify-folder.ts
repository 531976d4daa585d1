import { blobNameKind, isBlobOfName } from './blob-name.ts';
import { compareNames } from './compare-with-lock.ts';
import { hashFile, type FileHashes, type HashOptions } from './hash-file.ts';
import { listFiles, sumSizes, type ModelFile } from './list-files.ts';
import type { LocatedModel } from './locate-model.ts';
import { findLockedFile, type LockedFile, type LockedModel } from './lock-file.ts';
import { findMissingFiles } from './missing-files.ts';
import { findModelRoot } from './modules.ts';
import { findWeightFiles, readWeights } from './weight-files.ts';

export interface FileReport {
  /** In the folder. */
  readonly path: string;
  readonly state: 'ok' | 'corrupt' | 'missing' | 'not locked' | 'not checked';
  /** What was expected and what came, or why nothing was compared. */
  readonly reason?: string;
}

export interface FolderReport {
  readonly files: readonly FileReport[];
  /** Why the folder as a whole is no model. */
  readonly problem?: string;
}

export interface VerifyOptions extends Pick<HashOptions, 'onBytes' | 'signal'> {
  readonly locked: LockedModel | undefined;
  /** Once, with the bytes that will be read. */
  readonly onStart?: ((totalBytes: number) => void) | undefined;
}

/** Reads every file whose checksum is known, from the lock or from the name of its blob, and the headers of weights. */
export async function verifyFolder({ folder }: LocatedModel, options: VerifyOptions): Promise<FolderReport> {
  const { locked, onStart } = options;
  let found: readonly ModelFile[];
  let problem: string | undefined;
  try {
    found = listFiles(folder);
    problem = findMissingFiles(folder);
  } catch (error) {
    return { files: [], problem: messageOf(error) };
  }
  // Of a folder that is no model nobody can say what the engine would read.
  const names = locked && problem === undefined ? compareNames(folder, found, locked) : { missing: [], notLocked: [] };
  onStart?.(sumSizes(found.filter((file) => isKnown(file, findLockedFile(locked, file.path)))));
  const files: FileReport[] = [];
  for (const file of found) {
    const report = await check(file, findLockedFile(locked, file.path), options);
    files.push({ path: file.path, ...(names.notLocked.includes(file.path) ? notLocked : report) });
  }
  const paths = new Set(found.map(({ path }) => path));
  for (const path of names.missing)
    if (!paths.has(path)) files.push({ path, state: 'missing', reason: 'the lock file has it' });
  problem ??= findWeightProblem(folder);
  return { files, ...(problem === undefined ? {} : { problem }) };
}

const notLocked = {
  state: 'not locked',
  reason: 'the engine would read it, and the lock file does not have it',
} as const;

async function check(
  file: ModelFile,
  locked: LockedFile | undefined,
  { onBytes, signal }: VerifyOptions,
): Promise<Omit<FileReport, 'path'>> {
  if (file.sizeBytes === undefined) return { state: 'missing', reason: 'the link leads nowhere' };
  if (!isKnown(file, locked)) return { state: 'not checked', reason: 'no checksum known' };
  if (locked !== undefined && locked.sizeBytes !== file.sizeBytes) {
    onBytes?.(file.sizeBytes);
    return { state: 'corrupt', reason: `the lock file says ${locked.sizeBytes} bytes, it has ${file.sizeBytes}` };
  }
  const kind = blobNameKind(file.blob ?? '');
  let hashes: FileHashes;
  try {
    hashes = await hashFile(file.file, { withGitBlobId: kind === 'git', onBytes, signal });
  } catch (error) {
    signal?.throwIfAborted();
    return { state: 'corrupt', reason: `it cannot be read: ${messageOf(error)}` };
  }
  if (locked !== undefined && hashes.sha256 !== locked.sha256)
    return { state: 'corrupt', reason: `the lock file says SHA-256 ${locked.sha256}, it has ${hashes.sha256}` };
  if (kind !== undefined && !isBlobOfName(file.blob ?? '', hashes))
    return { state: 'corrupt', reason: `its ${kind} checksum should be ${file.blob}` };
  return { state: 'ok' };
}

function isKnown({ blob = '' }: ModelFile, locked: LockedFile | undefined): boolean {
  return locked !== undefined || blobNameKind(blob) !== undefined;
}

/** Weights of a complete folder that end early are found without a checksum: their header says how long they are. */
export function findWeightProblem(folder: string): string | undefined {
  const { folder: root } = findModelRoot(folder); // complete, or it would have been reported
  if (findWeightFiles(root)?.format === 'onnx') return undefined;
  try {
    readWeights(root);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
