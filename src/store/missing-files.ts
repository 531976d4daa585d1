import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { findModelRoot } from './modules.ts';

/**
 * Says why a folder is no complete model, or nothing where it is one: config.json and safetensors weights must be
 * there, in the folder or where its modules.json puts them.
 */
export function findMissingFiles(folder: string): string | undefined {
  if (!isFolder(folder)) return 'no such folder';
  let root: ReturnType<typeof findModelRoot>;
  try {
    root = findModelRoot(folder);
  } catch (error) {
    return `has no config.json: ${error instanceof Error ? error.message : String(error)}`;
  }
  for (const file of [
    root.kind === 'StaticEmbedding' ? 'tokenizer.json' : 'config.json',
    ...weightFiles(root.folder),
  ]) {
    const problem = findFileProblem(join(root.folder, file));
    if (problem !== undefined) return `${relative(folder, join(root.folder, file))} ${problem}${hint(root.kind)}`;
  }
  return undefined;
}

/** Names the step that a model begins with where it is another than the usual: that is why files are missed. */
function hint(kind: string): string {
  return kind === 'Transformer' ? '' : `, and modules.json begins with ${kind}`;
}

/** The weights a model needs: the shards where only an index is there, else the single file. */
function weightFiles(folder: string): readonly string[] {
  const single = 'model.safetensors';
  const index = 'model.safetensors.index.json';
  if (existsSync(join(folder, single)) || !existsSync(join(folder, index))) return [single];
  return [index, ...readShardNames(join(folder, index))];
}

/** A broken index gives no names here; reading the tensors reports it in full. */
function readShardNames(indexFile: string): readonly string[] {
  try {
    const index = JSON.parse(readFileSync(indexFile, 'utf8')) as { weight_map?: Record<string, unknown> }; // checked below
    const names = Object.values(index.weight_map ?? {});
    return [...new Set(names.filter((name): name is string => typeof name === 'string' && name === basename(name)))];
  } catch {
    return [];
  }
}

function findFileProblem(file: string): string | undefined {
  let sizeBytes: number;
  try {
    const stat = statSync(file); // follows the links of the Hugging Face cache
    if (!stat.isFile()) return 'is no file';
    sizeBytes = stat.size;
  } catch {
    return 'is missing';
  }
  if (sizeBytes === 0) return 'is empty';
  return sizeBytes < 1024 && isLfsPointer(file) ? 'is a Git LFS pointer (run `git lfs pull` there)' : undefined;
}

/** A clone without Git LFS has a text of some 130 bytes where the weights should be. */
function isLfsPointer(file: string): boolean {
  const start = Buffer.alloc(23);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, start, 0, start.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return start.toString('latin1') === 'version https://git-lfs';
}

function isFolder(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
}
