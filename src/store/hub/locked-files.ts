import { blobNameKind } from '../blob-name.ts';
import { findLockedFile, type LockedModel } from '../lock-file.ts';
import { HubError } from './hub-error.ts';
import type { HubFile } from './hub-file.ts';
import type { RepositoryListing } from './repository-listing.ts';

/**
 * The list without what the lock file does not hold: a model is then what was locked, whatever else its commit has.
 * @throws HubError where the commit is another, or lacks a file
 */
export function keepLocked(listing: RepositoryListing, locked: LockedModel | undefined): RepositoryListing {
  if (locked === undefined) return listing;
  const { repository, commit } = locked;
  if (listing.commit !== commit)
    throw lockedMismatch(repository, `the hub answered with commit ${listing.commit} for ${commit}`);
  const present = new Set(listing.files.map(({ path }) => path));
  const missing = Object.keys(locked.files).find((path) => !present.has(path));
  if (missing !== undefined) throw lockedMismatch(repository, `commit ${commit} has no file ${missing}`);
  return { commit, files: listing.files.filter(({ path }) => findLockedFile(locked, path) !== undefined) };
}

/** Refuses a file before it is fetched where its size or hash shows that it is another. @throws HubError */
export function checkLocked({ path, sizeBytes, etag }: HubFile, locked: LockedModel | undefined): void {
  const file = findLockedFile(locked, path);
  if (locked === undefined || file === undefined) return;
  const isSameSize = sizeBytes === file.sizeBytes;
  const isSameHash = blobNameKind(etag) !== 'sha256' || etag === file.sha256;
  if (!isSameSize || !isSameHash) throw lockedMismatch(locked.repository, `${path} is another file`);
}

export function lockedMismatch(repository: string, what: string): HubError {
  return new HubError(
    'locked_mismatch',
    `${repository} is not what the lock file holds: ${what}. If that change is wanted, lock it anew with \`embeddings pull --lock\`; if not, check HF_ENDPOINT.`,
  );
}

/** For a snapshot that others put files into. */
export function notAsLocked(repository: string, problem: string): HubError {
  return new HubError(
    'locked_mismatch',
    `${repository} is not what the lock file holds: ${problem}. Remove it with \`embeddings rm ${repository}\` and pull it again, or lock it anew with \`embeddings pull --lock\`.`,
  );
}
