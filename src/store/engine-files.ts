import { join } from 'node:path';
import { findModelRoot, listModuleFolders } from './modules.ts';
import { selectFiles } from './select-files.ts';
import { findShardNames } from './shards.ts';

/** Which of these paths of a complete model folder the engine reads, by the rule by which they are downloaded. */
export function selectEngineFiles(folder: string, paths: readonly string[]): readonly string[] {
  const root = findModelRoot(folder).folder.slice(folder.length + 1);
  const present = new Set(paths);
  const { others, weights } = selectFiles(paths, {
    root,
    modules: listModuleFolders(folder),
    readShards: (index) => readShardPaths(folder, index),
  });
  return [...others, ...weights].filter((path) => present.has(path));
}

function readShardPaths(folder: string, index: string): readonly string[] {
  const prefix = index.slice(0, index.lastIndexOf('/') + 1);
  return findShardNames(join(folder, index)).map((name) => prefix + name);
}
