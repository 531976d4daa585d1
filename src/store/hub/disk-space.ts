import { HubError } from './hub-error.ts';

export interface SpaceNeeded {
  readonly folder: string;
  readonly neededBytes: number;
  readonly freeBytes: number;
}

/** @throws HubError */
export function checkSpace({ folder, neededBytes, freeBytes }: SpaceNeeded): void {
  if (neededBytes > freeBytes)
    throw diskFull(folder, `the download needs ${toGigabytes(neededBytes)}, and ${toGigabytes(freeBytes)} are free`);
}

export function diskFull(folder: string, what: string): HubError {
  return new HubError(
    'disk_full',
    `There is no room in ${folder}: ${what}. Free some, or choose another folder with HF_HUB_CACHE; what has arrived is kept.`,
  );
}

/** Errors of the file system as what they mean for a download; others as they are. */
export function explainDiskError(error: unknown, folder: string): unknown {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  if (code === 'ENOSPC') return diskFull(folder, 'the disk is full');
  if (code === 'EDQUOT') return diskFull(folder, 'the quota is used up');
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new HubError(
      'disk_full',
      `${folder} cannot be written to (${code}). Give this user the right to, or choose another folder with HF_HUB_CACHE.`,
    );
  return error;
}

function toGigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e8 ? 3 : 1)} GB`;
}
