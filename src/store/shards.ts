import { basename, dirname, join } from 'node:path';
import { readBounded } from '../util/read-bounded.ts';
import { quote, WeightFileError } from './file-reader.ts';

/**
 * The tensors of the shards that an index names in its `weight_map`; what else the shards hold is left out.
 * @throws WeightFileError
 */
export function readShards<Tensor extends { readonly name: string }>(
  indexFile: string,
  suffix: string,
  readShard: (path: string) => readonly Tensor[],
): ReadonlyMap<string, Tensor> {
  const shardOf = readWeightMap(indexFile, suffix);
  const index = new Map<string, Tensor>();
  for (const shard of new Set(shardOf.values())) {
    for (const view of readShard(join(dirname(indexFile), shard))) {
      if (shardOf.get(view.name) === shard) index.set(view.name, view);
    }
  }
  for (const [name, shard] of shardOf) {
    if (!index.has(name)) {
      throw new WeightFileError(`${indexFile} names the tensor ${quote(name)} in ${shard}, which does not hold it.`);
    }
  }
  return index;
}

/** What the names of shards end in, by that of their index. */
export function shardSuffix(indexFile: string): '.bin' | '.safetensors' {
  return indexFile.endsWith('.bin.index.json') ? '.bin' : '.safetensors';
}

/** The shards that an index names. A broken index gives none here; reading the tensors reports it in full. */
export function findShardNames(indexFile: string): readonly string[] {
  try {
    return [...new Set(readWeightMap(indexFile, shardSuffix(indexFile)).values())];
  } catch {
    return [];
  }
}

/** The shard of each tensor. @throws WeightFileError */
export function readWeightMap(indexFile: string, suffix: string): ReadonlyMap<string, string> {
  const map = parseIndex(indexFile);
  const shardOf = new Map<string, string>();
  for (const [name, shard] of Object.entries(map)) {
    // A shard lies beside its index: a name with a folder in it could point anywhere on the disk.
    if (typeof shard !== 'string' || shard !== basename(shard) || !shard.endsWith(suffix) || shard.includes('\0')) {
      throw new WeightFileError(
        `Expected plain names of ${suffix} files in the weight_map of ${indexFile}, got ${quote(shard)}.`,
      );
    }
    shardOf.set(name, shard);
  }
  return shardOf;
}

function parseIndex(indexFile: string): object {
  const text = readBounded(indexFile).toString('utf8');
  let index: unknown;
  try {
    index = JSON.parse(text);
  } catch (cause) {
    throw new WeightFileError(`Expected JSON in ${indexFile}.`, { cause });
  }
  const map = typeof index === 'object' && index !== null && 'weight_map' in index ? index.weight_map : undefined;
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw new WeightFileError(`Expected an object "weight_map" in ${indexFile}.`);
  return map;
}
