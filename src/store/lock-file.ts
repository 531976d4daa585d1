import { readFileSync } from 'node:fs';
import { blobNameKind } from './blob-name.ts';
import { isCommit } from './hub-cache.ts';
import { JsonShapeError, readList, readObject, readRecord, readSize, readText, show, wrong } from './check-json.ts';
import { replaceFile } from '../util/replace-file.ts';
import { isRepositoryFile, isRepositoryId, isRevision } from './repository-id.ts';

/** A file as the lock file and the manifest of an archive hold it. */
export interface LockedFile {
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** What a model is held to: the commit of its revision, and the contents of every file. */
export interface LockedModel {
  readonly repository: string;
  /** As the allowlist asks for it; `main` where it names none. */
  readonly revision: string;
  readonly commit: string;
  /** By path in the repository. */
  readonly files: Readonly<Record<string, LockedFile>>;
}

export interface LockFile {
  readonly models: readonly LockedModel[];
}

/** Thrown for a lock file that cannot be read; names the file and the place in it. */
export class LockFileError extends Error {
  override readonly name = 'LockFileError';
}

/** Where the lock file lies: as set, else beside the allowlist with `.lock` instead of `.txt`. */
export function lockFilePath(where: {
  readonly lockFile: string | undefined;
  readonly supportedModels: string;
}): string {
  return where.lockFile ?? `${where.supportedModels.replace(/\.txt$/, '')}.lock`;
}

/** Undefined where there is no such file. @throws LockFileError */
export function readLockFile(path: string): LockFile | undefined {
  try {
    return parseLockFile(readFileSync(path, 'utf8'));
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const todo =
      cause instanceof JsonShapeError || cause instanceof SyntaxError
        ? '; mend it, or delete it and run `embeddings pull --lock`'
        : '';
    throw new LockFileError(`${path}: expected a readable lock file (EMBEDDINGS_LOCK_FILE): ${reason}${todo}`, {
      cause,
    });
  }
}

/** @throws Error where the file cannot be written; the old one is then as it was */
export function writeLockFile(path: string, lock: LockFile): void {
  replaceFile(path, formatLockFile(lock));
}

/** What holds this revision of a model, `main` when absent. */
export function findLocked(lock: LockFile | undefined, repository: string, revision = 'main'): LockedModel | undefined {
  return lock?.models.find((model) => model.repository === repository && model.revision === revision);
}

/** What a file is held to. Its name may be one that every object has, such as `constructor`. */
export function findLockedFile(locked: LockedModel | undefined, path: string): LockedFile | undefined {
  return locked !== undefined && Object.hasOwn(locked.files, path) ? locked.files[path] : undefined;
}

/** The lock with this model in it, in place of what held the same revision before. */
export function withLocked(lock: LockFile | undefined, model: LockedModel): LockFile {
  const others = lock?.models.filter((other) => keyOf(other) !== keyOf(model)) ?? [];
  return { models: [...others, model] };
}

/** The same text for the same models, in whatever order they come. */
export function formatLockFile({ models }: LockFile): string {
  const sorted = models
    .toSorted((a, b) => compare(keyOf(a), keyOf(b)))
    .map(({ repository, revision, commit, files }) => ({ repository, revision, commit, files: formatFiles(files) }));
  return `${JSON.stringify({ version: 1, models: sorted }, null, 2)}\n`;
}

/** @throws JsonShapeError naming the place in the JSON, SyntaxError */
export function parseLockFile(text: string): LockFile {
  const { version, models } = readObject(JSON.parse(text), 'the file', ['version', 'models']);
  if (version !== 1) throw wrong('version', '1', show(version));
  const keys = new Set<string>();
  return {
    models: readList(models, 'models').map((value, index) => {
      const model = parseModel(value, `models[${index}]`);
      if (keys.has(keyOf(model))) throw wrong(`models[${index}]`, 'a model once', `${keyOf(model)} again`);
      keys.add(keyOf(model));
      return model;
    }),
  };
}

function parseModel(value: unknown, at: string): LockedModel {
  const { repository, revision, commit, files } = readObject(value, at, ['repository', 'revision', 'commit', 'files']);
  return {
    repository: readText(repository, `${at}.repository`, 'a Hugging Face id', isRepositoryId),
    revision: readText(revision, `${at}.revision`, 'a branch, tag or commit', isRevision),
    commit: readText(commit, `${at}.commit`, 'a commit of 40 hexadecimal digits', isCommit),
    files: readFiles(files, `${at}.files`, readLockedFile),
  };
}

/** Files by their path in the repository. @throws JsonShapeError */
export function readFiles<T>(value: unknown, at: string, parse: (file: unknown, at: string) => T): Record<string, T> {
  const entries = Object.entries(readRecord(value, at)).map(([path, file]) => {
    const here = `${at}[${show(path)}]`;
    if (!isRepositoryFile(path)) throw wrong(here, 'a path inside the repository', 'another');
    return [path, parse(file, here)] as const;
  });
  return Object.fromEntries(entries);
}

/** @throws JsonShapeError */
export function readLockedFile(value: unknown, at: string): LockedFile {
  const { sizeBytes, sha256 } = readObject(value, at, ['sizeBytes', 'sha256']);
  return { sizeBytes: readSize(sizeBytes, `${at}.sizeBytes`), sha256: readSha256(sha256, `${at}.sha256`) };
}

/** @throws JsonShapeError */
export function readSha256(value: unknown, at: string): string {
  return readText(value, at, '64 hexadecimal digits', (text) => blobNameKind(text) === 'sha256');
}

function formatFiles(files: LockedModel['files']): LockedModel['files'] {
  const sorted = Object.entries(files).toSorted(([a], [b]) => compare(a, b));
  return Object.fromEntries(sorted.map(([path, { sizeBytes, sha256 }]) => [path, { sizeBytes, sha256 }]));
}

/** A space stands in neither part. */
function keyOf({ repository, revision }: LockedModel): string {
  return `${repository} ${revision}`;
}

/** By code units: the same on every machine, whatever its language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
