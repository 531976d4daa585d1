import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { findForeignLink } from './model-bounds.ts';
import { findModelRoot } from './modules.ts';
import { findShardNames } from './shards.ts';
import { findWeightFiles, wantedWeights, type WeightFiles } from './weight-files.ts';

/**
 * Says why a folder is no complete model, or nothing where it is one: config.json and weights must be there, in the
 * folder or where its modules.json puts them.
 */
export function findMissingFiles(folder: string): string | undefined {
  if (!isFolder(folder)) return 'no such folder';
  let root: ReturnType<typeof findModelRoot>;
  try {
    const foreign = findForeignLink(folder);
    if (foreign !== undefined) return `${foreign} is a link that leads outside the folder: put the file itself there`;
  } catch (error) {
    return messageOf(error);
  }
  try {
    root = findModelRoot(folder);
  } catch (error) {
    return `has no config.json: ${messageOf(error)}`;
  }
  const weights = findWeightFiles(root.folder);
  const first = root.kind === 'StaticEmbedding' ? 'tokenizer.json' : 'config.json';
  for (const file of [first, ...(weights === undefined ? [] : listFiles(root.folder, weights))]) {
    const problem = findFileProblem(join(root.folder, file));
    if (problem !== undefined) return `${relative(folder, join(root.folder, file))} ${problem}${hint(root.kind)}`;
  }
  return weights === undefined ? `no weights: looked for ${wantedWeights}` : undefined;
}

/** Names the step that a model begins with where it is another than the usual: that is why files are missed. */
function hint(kind: string): string {
  return kind === 'Transformer' ? '' : `, and modules.json begins with ${kind}`;
}

/** The files that the weights lie in: the shards of an index too, and the data beside an ONNX graph where there is any. */
function listFiles(folder: string, { format, file }: WeightFiles): readonly string[] {
  if (format === 'onnx')
    return [file, ...[`${file}_data`, `${file}.data`].filter((name) => existsSync(join(folder, name)))];
  if (!file.endsWith('.json')) return [file];
  return [file, ...findShardNames(join(folder, file))];
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isFolder(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
}
