import {
  chownSync,
  closeSync,
  fchmodSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { KeyFileError } from './key-file.ts';

const waits = { retries: 40, minTimeout: 50, maxTimeout: 250, factor: 1.5 }; // some seconds
const newMode = 0o600;

/**
 * Changes the file whole, so that readers see the old or the new one, and after every other edit has ended, so that none
 * is lost. A new file is for its owner only; one that is there keeps its owner and mode. @throws KeyFileError
 */
export async function editKeyFile(path: string, edit: (text: string) => string): Promise<void> {
  const { lock } = (await import('proper-lockfile')).default;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const release = await lock(path, { realpath: false, retries: waits });
  try {
    const before = statSync(path, { throwIfNoEntry: false });
    const text = before === undefined ? '' : readFileSync(path, 'utf8');
    const changed = edit(text);
    if (changed !== text) replace(path, changed, before);
  } finally {
    await release();
  }
}

interface Owned {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

function replace(path: string, text: string, before: Owned | undefined): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true }); // of a process of this number that was killed
  try {
    const file = openSync(temporary, 'wx', newMode);
    try {
      writeFileSync(file, text, { flush: true });
      fchmodSync(file, (before?.mode ?? newMode) & 0o777);
    } finally {
      closeSync(file);
    }
    keepOwner(path, temporary, before);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** The service may run as another user than the administrator, and must be able to read the file after the edit too. */
function keepOwner(path: string, temporary: string, before: Owned | undefined): void {
  if (before === undefined) return;
  const { uid, gid } = statSync(temporary);
  if (uid === before.uid && gid === before.gid) return;
  try {
    chownSync(temporary, before.uid, before.gid);
  } catch (error) {
    throw new KeyFileError(
      `${path}: expected to edit it as its owner (user ${before.uid}, group ${before.gid}) or as root, got user ${uid}`,
      { cause: error },
    );
  }
}
