/** Why nothing could be written. */
export interface DiskProblem {
  readonly kind: 'disk_full' | 'not_writable';
  /** A sentence that names the folder. */
  readonly problem: string;
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a file is where a folder should be',
  EEXIST: 'a file is where a folder should be',
  ENOENT: 'it cannot be made there; the file system may be read-only', // so Node reports EROFS of `mkdir -p`
};

/** What an error of the file system means; undefined for other errors. */
export function findDiskProblem(error: unknown, folder: string): DiskProblem | undefined {
  const { code, syscall } = (error ?? {}) as { readonly code?: unknown; readonly syscall?: unknown };
  if (typeof code !== 'string') return undefined;
  if (code === 'ENOSPC') return { kind: 'disk_full', problem: `There is no room in ${folder}: the disk is full.` };
  if (code === 'EDQUOT') return { kind: 'disk_full', problem: `There is no room in ${folder}: the quota is used up.` };
  if (typeof syscall !== 'string') return undefined;
  const reason = reasons[code];
  const why = reason === undefined ? code : `${code}: ${reason}`;
  return { kind: 'not_writable', problem: `${folder} cannot be written to (${why}).` };
}

/** What to do about a Hugging Face cache that cannot be written to. */
export const makeCacheWritable = 'Give this user the right to, or choose another folder with HF_HUB_CACHE.';
