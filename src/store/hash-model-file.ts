import { blobNameKind, isBlobOfName } from './blob-name.ts';
import { hashFile, type HashOptions } from './hash-file.ts';
import type { ModelFile } from './list-files.ts';

/**
 * The SHA-256 of a file of a model, for whoever will hold others to it.
 * @throws Error for a blob whose bytes are not those of its name: broken files must not become the measure
 */
export async function hashModelFile(
  { file, blob = '' }: ModelFile,
  options: Pick<HashOptions, 'onBytes' | 'signal'>,
): Promise<string> {
  const kind = blobNameKind(blob);
  const hashes = await hashFile(file, { ...options, withGitBlobId: kind === 'git' });
  if (kind !== undefined && !isBlobOfName(blob, hashes))
    throw new Error(`${file} is corrupt: expected the bytes of ${blob}; run \`embeddings verify\``);
  return hashes.sha256;
}
