import { HubError } from './hub-error.ts';

/** For a download that does not fit; `problem` is a sentence. */
export function diskFull(problem: string): HubError {
  return new HubError(
    'disk_full',
    `${problem} Free some, or choose another folder with HF_HUB_CACHE; what has arrived is kept.`,
  );
}

/** Errors of the file system as what they mean for a download; others as they are. */
export function explainDiskError(error: unknown, folder: string): unknown {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  if (code === 'ENOSPC') return diskFull(`There is no room in ${folder}: the disk is full.`);
  if (code === 'EDQUOT') return diskFull(`There is no room in ${folder}: the quota is used up.`);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new HubError(
      'not_writable',
      `${folder} cannot be written to (${code}). Give this user the right to, or choose another folder with HF_HUB_CACHE.`,
    );
  return error;
}
