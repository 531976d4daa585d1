import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { LockedFile } from '../lock-file.ts';
import type { HubFile } from './hub-file.ts';

/** Whether a file on disk has the contents that its ETag names; of an ETag that is no hash only the size was checked. */
export async function isIntact(path: string, { etag, sizeBytes }: HubFile): Promise<boolean> {
  if (/^[0-9a-f]{64}$/.test(etag)) return (await hashFile(path, { algorithm: 'sha256' })) === etag;
  if (!/^[0-9a-f]{40}$/.test(etag)) return true;
  return (await hashFile(path, { algorithm: 'sha1', prefix: `blob ${sizeBytes}\0` })) === etag; // as git counts
}

/** Whether an intact file has the contents that the lock file names. */
export async function matchesLock(path: string, { etag }: HubFile, { sha256 }: LockedFile): Promise<boolean> {
  return etag === sha256 || (await hashFile(path, { algorithm: 'sha256' })) === sha256;
}

const chunkBytes = 1024 * 1024;

interface HashOptions {
  readonly algorithm: 'sha1' | 'sha256';
  /** Counted before the contents. */
  readonly prefix?: string;
}

async function hashFile(path: string, { algorithm, prefix = '' }: HashOptions): Promise<string> {
  const hash = createHash(algorithm).update(prefix);
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
