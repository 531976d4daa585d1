import type { FileHashes } from './hash-file.ts';
import { isCommit } from './hub-cache.ts';

/** What the name of a blob in the Hugging Face cache says about its bytes; undefined for a name that is no checksum. */
export function blobNameKind(name: string): 'sha256' | 'git' | undefined {
  if (/^[0-9a-f]{64}$/.test(name)) return 'sha256';
  return isCommit(name) ? 'git' : undefined; // git names files as it names commits
}

/**
 * Whether the bytes are those that the name promises; needs `gitBlobId` and `sha1` for a name of that length. Some mirrors
 * (Artifactory) give the SHA-1 of the contents where the hub gives git's id.
 */
export function isBlobOfName(name: string, { sha256, gitBlobId, sha1 }: FileHashes): boolean {
  return blobNameKind(name) === 'git' ? name === gitBlobId || name === sha1 : name === sha256;
}
