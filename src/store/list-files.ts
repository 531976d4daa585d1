import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** One file of a model's folder. */
export interface ModelFile {
  /** Below the folder, with slashes. */
  readonly path: string;
  /** Where it is. */
  readonly file: string;
  /** Undefined for a link that leads nowhere. */
  readonly sizeBytes: number | undefined;
  /** Name of the blob that it is a link to, in the Hugging Face cache. */
  readonly blob?: string;
}

const maxDepth = 16; // folders in folders; a link to a folder above would never end
const maxFolders = 10_000; // two links to a folder above would be 2^16
const notOfTheModel: ReadonlySet<string> = new Set(['.git', '.cache']); // of git, and of `hf download --local-dir`

/** Every file below a folder, links followed, sorted by path. @throws Error for folders too deep or too many */
export function listFiles(folder: string): readonly ModelFile[] {
  return [...walk(folder, '', { depth: 0, seen: { folders: 0 } })].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Bytes of these files together. */
export function sumSizes(files: readonly ModelFile[]): number {
  return files.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
}

/** Bytes of all files below a folder. */
export function folderSizeBytes(folder: string): number {
  return sumSizes(listFiles(folder));
}

interface Place {
  readonly depth: number;
  /** Shared by the whole walk. */
  readonly seen: { folders: number };
}

function* walk(folder: string, prefix: string, { depth, seen }: Place): Generator<ModelFile> {
  if (++seen.folders > maxFolders) throw new Error(`Expected at most ${maxFolders} folders, got more in ${folder}.`);
  if (depth > maxDepth) throw new Error(`Expected at most ${maxDepth} folders in folders, got more in ${folder}.`);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = join(folder, entry.name);
    const path = prefix + entry.name;
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) {
      if (!notOfTheModel.has(entry.name)) yield* walk(file, `${path}/`, { depth: depth + 1, seen });
    } else if (stat === undefined || stat.isFile()) {
      const blob = entry.isSymbolicLink() ? blobOf(file) : undefined;
      yield { path, file, sizeBytes: stat?.size, ...(blob === undefined ? {} : { blob }) };
    }
  }
}

function blobOf(link: string): string | undefined {
  const target = readlinkSync(link);
  return basename(dirname(target)) === 'blobs' ? basename(target) : undefined;
}
