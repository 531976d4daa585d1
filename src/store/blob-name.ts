import type { FileHashes } from './hash-file.ts';

/** What the name of a blob in the Hugging Face cache says about its bytes; undefined for a name that is no checksum. */
export function blobNameKind(name: string): 'sha256' | 'git' | undefined {
  if (/^[0-9a-f]{64}$/.test(name)) return 'sha256';
  return /^[0-9a-f]{40}$/.test(name) ? 'git' : undefined;
}

/** Whether the bytes are those that the name promises; needs `gitBlobId` for a name of that kind. */
export function isBlobOfName(name: string, { sha256, gitBlobId }: FileHashes): boolean {
  return name === (blobNameKind(name) === 'git' ? gitBlobId : sha256);
}
