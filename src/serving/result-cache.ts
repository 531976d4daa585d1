import { LRUCache } from 'lru-cache';

const entryBytes = 200; // of the cache's own lists, and of the two objects; keys have a byte for each character

/** Vectors of all models by what they were made with; those used longest ago go when `maxBytes` are full. */
export function createResultCache(maxBytes: number): LRUCache<string, Float32Array> {
  return new LRUCache({
    maxSize: maxBytes,
    sizeCalculation: (vector, key) => vector.byteLength + key.length + entryBytes,
  });
}
