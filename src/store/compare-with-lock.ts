import { selectEngineFiles } from './engine-files.ts';
import { listFiles, type ModelFile } from './list-files.ts';
import { findLockedFile, type LockedModel } from './lock-file.ts';

/** How the names of a folder differ from those of its lock. Only files that the engine reads matter. */
export interface LockDifference {
  readonly missing: readonly string[];
  /** What the engine would read though nothing holds it to any contents. */
  readonly notLocked: readonly string[];
}

/** Compares names alone, of a complete model folder. */
export function compareNames(folder: string, present: readonly ModelFile[], locked: LockedModel): LockDifference {
  const paths = present.filter(({ sizeBytes }) => sizeBytes !== undefined).map(({ path }) => path);
  const here = new Set(paths);
  return {
    missing: selectEngineFiles(folder, Object.keys(locked.files)).filter((path) => !here.has(path)),
    notLocked: selectEngineFiles(folder, paths).filter((path) => findLockedFile(locked, path) === undefined),
  };
}

/** Says why a complete model folder is not as the lock has it, by names and sizes: contents take minutes to read. */
export function findLockProblem(folder: string, locked: LockedModel): string | undefined {
  let present: readonly ModelFile[];
  try {
    present = listFiles(folder);
  } catch (error) {
    return `cannot be compared with the lock file: ${error instanceof Error ? error.message : String(error)}`;
  }
  const { missing, notLocked } = compareNames(folder, present, locked);
  if (missing[0] !== undefined) return `${missing[0]} is missing, and the lock file has it`;
  if (notLocked[0] !== undefined) return `${notLocked[0]} would be read, and the lock file does not have it`;
  for (const { path, sizeBytes } of present) {
    const wanted = findLockedFile(locked, path)?.sizeBytes;
    if (wanted !== undefined && sizeBytes !== wanted)
      return `${path} has ${sizeBytes ?? 'no'} bytes, and the lock file says ${wanted}`;
  }
  return undefined;
}
