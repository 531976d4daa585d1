import { FollowedFiles, realFiles, type FollowOptions, type WatchedFiles } from '../util/followed-files.ts';
import { AllowlistError, parseAllowlist, type Allowlist } from './allowlist.ts';

export interface WatchOptions extends Pick<FollowOptions<Allowlist>, 'onChange' | 'log' | 'files' | 'clock'> {
  readonly path: string;
}

/** Reads the allowlist now. @throws AllowlistError naming the file and the bad lines */
export function readAllowlist(path: string, files: Pick<WatchedFiles, 'read'> = realFiles): Allowlist {
  let list: Allowlist;
  try {
    list = parseAllowlist(files.read(path));
  } catch (error) {
    if (error instanceof AllowlistError) throw new AllowlistError(error.message.replaceAll(/^/gm, `${path} `));
    throw new AllowlistError(
      `${path}: expected a readable allowlist file (EMBEDDINGS_SUPPORTED_MODELS): ${(error as Error).message}`,
    );
  }
  // Also what a half-written file looks like, so the last good list must survive it.
  if (list.entries.length === 0) throw new AllowlistError(`${path}: expected at least one model id, got none`);
  return list;
}

/** Holds the allowlist in force. @throws AllowlistError when the file is bad at the start */
export function watchAllowlist({ path, onChange, ...options }: WatchOptions): FollowedFiles<Allowlist> {
  return new FollowedFiles({
    ...options,
    what: 'allowlist',
    paths: [path],
    read: (files) => readAllowlist(path, files),
    onChange: (list) => {
      options.log.info({ path, models: list.entries.length }, 'allowlist changed');
      onChange(list);
    },
  });
}
