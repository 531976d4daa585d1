import { chmodSync, chownSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile } from '../util/replace-file.ts';
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
    if (changed === text) return;
    replaceFile(path, changed, {
      mode: newMode,
      prepare: (temporary) => {
        chmodSync(temporary, (before?.mode ?? newMode) & 0o777);
        keepOwner(path, temporary, before);
      },
    });
  } finally {
    await release();
  }
}

interface Owned {
  readonly uid: number;
  readonly gid: number;
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
