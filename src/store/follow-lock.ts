import { statSync } from 'node:fs';
import { type LockFile, readLockFile } from './lock-file.ts';

/**
 * The lock file as it is whenever it is asked for; read again only where it has changed. A bad one is reported once, and
 * the last good one stays in force.
 * @throws LockFileError when it is bad at the start
 */
export function followLock(path: string, onBad: (error: Error) => void): () => LockFile | undefined {
  let seen = fingerprintOf(path);
  let lock = readLockFile(path);
  return () => {
    const now = fingerprintOf(path);
    if (now === seen) return lock;
    seen = now;
    try {
      lock = readLockFile(path);
    } catch (error) {
      onBad(error instanceof Error ? error : new Error(String(error)));
    }
    return lock;
  };
}

function fingerprintOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'none' : [stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs].join(':');
}
