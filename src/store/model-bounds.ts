import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { isCommit } from './hub-cache.ts';
import { listFiles } from './list-files.ts';

/**
 * The folders in which the files of a model may really lie, behind all links: its own, and in the Hugging Face cache that
 * of its repository, whose blobs the links of a snapshot lead to. The model's folder itself may be a link, and so may the
 * folder of blobs: those are the owner's doing, not the repository's.
 */
function findBounds(folder: string): readonly string[] {
  const real = realpathSync(folder);
  const snapshots = dirname(real);
  const repository = dirname(snapshots);
  const isSnapshot =
    isCommit(basename(real)) && basename(snapshots) === 'snapshots' && basename(repository).startsWith('models--');
  if (!isSnapshot) return [real];
  const blobs = join(repository, 'blobs');
  return existsSync(blobs) ? [repository, realpathSync(blobs)] : [repository];
}

const modelFile = /\.(json|txt|model|codes|safetensors|bin|onnx|onnx_data|data)$/; // what the engine may read, by its name alone

/**
 * A file of a model folder that is a link to somewhere else on the disk, if there is one: what it holds could come back
 * in an error, or be mapped as weights. Nothing is opened. @throws Error for folders too deep or too many
 */
export function findForeignLink(folder: string): string | undefined {
  const bounds = findBounds(folder);
  return listFiles(folder).find(
    ({ path, file, sizeBytes }) => sizeBytes !== undefined && modelFile.test(path) && !isInside(file, bounds),
  )?.path;
}

/** Of files that the model's own files name, such as those of tensors. */
export function findForeignFile(folder: string, files: Iterable<string>): string | undefined {
  const bounds = findBounds(folder);
  for (const file of files) if (!isInside(file, bounds)) return file;
  return undefined;
}

function isInside(file: string, bounds: readonly string[]): boolean {
  const real = realpathSync(file);
  return bounds.some((bound) => real.startsWith(bound + sep));
}
