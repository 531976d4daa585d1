import { join } from 'node:path';
import { findModelRoot, listModuleFolders } from './modules.ts';
import { selectFiles } from './select-files.ts';
import { readWeightMap } from './shards.ts';

/** Which of these paths of a complete model folder the engine reads, by the rule by which they are downloaded. */
export function selectEngineFiles(folder: string, paths: readonly string[]): readonly string[] {
  const root = findModelRoot(folder).folder.slice(folder.length + 1);
  const present = new Set(paths);
  const { others, weights } = selectFiles(paths, {
    root,
    modules: listModuleFolders(folder),
    readShards: (index, format) => readShardPaths(folder, index, format === 'pytorch' ? '.bin' : '.safetensors'),
  });
  return [...others, ...weights].filter((path) => present.has(path));
}

/** A broken index gives none here; reading the tensors reports it in full. */
function readShardPaths(folder: string, index: string, suffix: string): readonly string[] {
  const prefix = index.slice(0, index.lastIndexOf('/') + 1);
  try {
    return [...new Set(readWeightMap(join(folder, index), suffix).values())].map((name) => prefix + name);
  } catch {
    return [];
  }
}
