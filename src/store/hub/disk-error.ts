import { findDiskProblem, makeCacheWritable } from '../disk-problem.ts';
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
  const found = error instanceof HubError ? undefined : findDiskProblem(error, folder);
  if (found === undefined) return error;
  if (found.kind === 'disk_full') return diskFull(found.problem);
  return new HubError('not_writable', `${found.problem} ${makeCacheWritable}`);
}
