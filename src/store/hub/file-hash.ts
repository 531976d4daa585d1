import { blobNameKind, isBlobOfName } from '../blob-name.ts';
import { hashFile } from '../hash-file.ts';
import type { LockedFile } from '../lock-file.ts';
import type { HubFile } from './hub-file.ts';

/** Whether a file on disk has the contents that its ETag names; of an ETag that is no hash only the size was checked. */
export async function isIntact(path: string, { etag }: Pick<HubFile, 'etag'>, signal: AbortSignal): Promise<boolean> {
  const kind = blobNameKind(etag);
  return kind === undefined || isBlobOfName(etag, await hashFile(path, { withGitBlobId: kind === 'git', signal }));
}

export interface LockedContents {
  readonly file: HubFile;
  readonly locked: LockedFile;
  readonly signal: AbortSignal;
}

/** Whether an intact file has the contents that the lock file names. */
export async function matchesLock(path: string, { file, locked, signal }: LockedContents): Promise<boolean> {
  return file.etag === locked.sha256 || (await hashFile(path, { signal })).sha256 === locked.sha256;
}
