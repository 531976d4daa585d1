import { createHash } from 'node:crypto';
import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Derivation } from '../graph/derivation.ts';
import type { TensorIndex } from '../store/safetensors.ts';
import { layOut, type Layout } from './layout.ts';
import { weightsOf } from './weights-of.ts';
import { writeDerived, type WriteOptions } from './write-file.ts';

export interface QuantizedFileOptions extends Pick<
  WriteOptions,
  'processes' | 'onProgress' | 'signal' | 'requestId' | 'openWriter'
> {
  readonly derivations: readonly Derivation[];
  /** What the name of the file begins with, to tell for people. */
  readonly label: string;
  /** Where it may lie, the best place first: a folder that cannot be written to is passed over. */
  readonly folders: readonly string[];
}

export interface QuantizedFile {
  readonly file: string;
  readonly tensors: TensorIndex;
}

const formulas = 1; // one more whenever the same checkpoint would give other numbers

/**
 * The tensors of a quantised model: those that lie on disk from before, or newly made.
 * @throws WriterError, an error of the file system, the signal's reason
 */
export async function obtainQuantized(options: QuantizedFileOptions): Promise<QuantizedFile> {
  const { derivations, label, folders } = options;
  const name = `${label}-${fingerprint(derivations)}.safetensors`;
  const places = folders.map((folder) => {
    const file = join(folder, name);
    return { folder, file, layout: layOut(derivations, file) };
  });
  const known = places.find(({ layout, file }) => isWhole(layout, file));
  if (known !== undefined) return { file: known.file, tensors: known.layout.tensors };
  let problem: unknown;
  for (const { folder, file, layout } of places) {
    try {
      prepareFolder(folder);
      await writeDerived({ ...options, layout, file });
      return { file, tensors: layout.tensors };
    } catch (error) {
      if (!isFolderProblem(error)) throw error;
      problem ??= error; // the first place is the one to put right
    }
  }
  throw problem;
}

/** Of the formulas, and of every byte range that goes in, by file, size and time of change. */
function fingerprint(derivations: readonly Derivation[]): string {
  const files = new Set(derivations.flatMap(weightsOf).map(({ file }) => file));
  const stats = [...files].toSorted().map((file) => {
    const { size, mtimeMs } = statSync(file);
    return [file, size, mtimeMs];
  });
  return createHash('sha256')
    .update(JSON.stringify([formulas, stats, derivations]))
    .digest('hex')
    .slice(0, 16);
}

/** Whether a file is there and what the layout says, as far as its size and its header tell. */
function isWhole({ header, sizeBytes }: Layout, file: string): boolean {
  try {
    const stat = lstatSync(file, { throwIfNoEntry: false });
    return stat?.isFile() === true && stat.size === sizeBytes && readStart(file, header.length).equals(header);
  } catch (error) {
    if (isFolderProblem(error)) return false; // of no use to us, whatever it is
    throw error;
  }
}

function readStart(file: string, bytes: number): Buffer {
  const start = Buffer.alloc(bytes);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, start, 0, bytes, 0);
  } finally {
    closeSync(descriptor);
  }
  return start;
}

const abandonedMs = 3_600_000;

/** Makes the folder, for this user alone where it is new, and clears away what killed processes left in it. */
function prepareFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const changedMs = name.endsWith('.partial') ? lstatSync(file, { throwIfNoEntry: false })?.mtimeMs : undefined;
    if (changedMs !== undefined && Date.now() - changedMs > abandonedMs) rmSync(file, { force: true });
  }
}

const folderProblems = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EEXIST', 'ENOSPC', 'EDQUOT']);

/** Another folder may do where this one cannot be looked into or written to, or is full. */
function isFolderProblem(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined && folderProblems.has(code);
}
