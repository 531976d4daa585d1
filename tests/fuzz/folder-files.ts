import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Files of a model folder by their paths; a text is the target of a link. */
export type FolderFiles = Map<string, Buffer | string>;

/** Every model below a folder of goldens: what holds a config.json, or a modules.json or tokenizer.json without one. */
export function readSeeds(folders: readonly string[]): readonly FolderFiles[] {
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .map((name) => join(folder, name))
      .filter((path) => lstatSync(path).isDirectory())
      .map(readFolder),
  );
}

function readFolder(folder: string): FolderFiles {
  const files: FolderFiles = new Map();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const path = join(folder, name);
    if (lstatSync(path).isFile()) files.set(name, readFileSync(path));
  }
  return files;
}

export function writeFolder(folder: string, files: FolderFiles): void {
  for (const [path, content] of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof content === 'string') symlinkSync(content, file);
    else writeFileSync(file, content);
  }
}

/** As the Hugging Face cache has it: links to blobs. Gives the snapshot. */
export function writeSnapshot(hub: string, files: FolderFiles): string {
  const root = join(hub, 'models--fuzz--model');
  const snapshot = join(root, 'snapshots', 'c'.repeat(40));
  mkdirSync(join(root, 'blobs'), { recursive: true });
  mkdirSync(snapshot, { recursive: true });
  for (const [index, [path, content]] of [...files].entries()) {
    const link = join(snapshot, path);
    mkdirSync(dirname(link), { recursive: true });
    const blob = join(root, 'blobs', index.toString(16).padStart(40, '0'));
    if (typeof content !== 'string') writeFileSync(blob, content);
    symlinkSync(typeof content === 'string' ? content : relative(dirname(link), blob), link);
  }
  return snapshot;
}
