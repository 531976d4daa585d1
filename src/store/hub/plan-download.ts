import type { ModelRoot } from '../modules.ts';
import { findModelRoot, listModuleFolders } from '../modules.ts';
import { type FileSelection, selectFiles, selectFirstFiles, selectIndexes } from '../select-files.ts';
import { readWeightMap, shardSuffix } from '../shards.ts';
import { wantedWeights } from '../weight-files.ts';
import { HubError } from './hub-error.ts';

/** The files of one commit, as far as planning needs them. */
export interface CommitFiles {
  readonly repository: string;
  readonly paths: readonly string[];
  /** The folder of the commit in the cache, for files that were fetched. */
  readonly folder: string;
  /** Puts a file into the cache and, unless it counts as weights, into the folder; returns where its contents are. */
  readonly fetch: (path: string, kind: 'other' | 'weights') => Promise<string>;
}

/** Fetches the few files that say which others a model needs. @throws HubError where it is none that we compute */
export async function planDownload(files: CommitFiles): Promise<FileSelection> {
  const { repository, paths, folder, fetch } = files;
  for (const path of selectFirstFiles(paths)) await fetch(path, 'other');
  const { root, modules, kind } = readSteps(repository, folder);
  const config = root === '' ? 'config.json' : `${root}/config.json`;
  if (kind !== 'StaticEmbedding' && !paths.includes(config)) throw unusable(repository, `it has no ${config}`);
  const shards = new Map<string, readonly string[]>();
  for (const index of selectIndexes(paths, { root, modules }))
    shards.set(index, readShards(await fetch(index, 'weights'), { index, repository, paths }));
  const selection = selectFiles(paths, { root, modules, readShards: (index) => shards.get(index) ?? [] });
  if (selection.weights.length === 0) throw unusable(repository, `it has no weights; looked for ${wantedWeights}`);
  return selection;
}

/** For a repository that downloading would not help. */
export function unusable(repository: string, problem: string): HubError {
  return new HubError(
    'bad_answer',
    `${repository} is not a model that can be computed here: ${problem}. Choose another model or revision.`,
  );
}

interface Steps {
  readonly root: string;
  readonly kind: string;
  readonly modules: readonly string[];
}

function readSteps(repository: string, folder: string): Steps {
  let found: ModelRoot;
  try {
    found = findModelRoot(folder);
  } catch (cause) {
    throw unusable(repository, `it has no config.json: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  return { root: found.folder.slice(folder.length + 1), kind: found.kind, modules: listModuleFolders(folder) };
}

interface IndexContext {
  /** Path in the repository. */
  readonly index: string;
  readonly repository: string;
  readonly paths: readonly string[];
}

/** Paths in the repository of the shards beside an index. */
function readShards(file: string, { index, repository, paths }: IndexContext): readonly string[] {
  let names: ReadonlySet<string>;
  try {
    names = new Set(readWeightMap(file, shardSuffix(index)).values());
  } catch (cause) {
    throw unusable(repository, `it has a broken ${index}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  const shards = [...names].map((name) => index.slice(0, index.lastIndexOf('/') + 1) + name);
  const missing = shards.find((shard) => !paths.includes(shard));
  if (missing !== undefined) throw unusable(repository, `it has no ${missing}, which ${index} names`);
  return shards;
}
