import { statSync } from 'node:fs';
import { FollowedFiles, type FollowOptions, type WatchedFiles } from '../util/followed-files.ts';
import { KeyFileError, parseKeyFile } from './key-file.ts';
import type { KeyRecord } from './key-record.ts';
import { KeyRing, type Keys } from './key-ring.ts';

export interface FollowKeysOptions extends Pick<FollowOptions<unknown>, 'files' | 'clock'> {
  /** EMBEDDINGS_API_KEYS */
  readonly apiKeys: readonly string[];
  /** EMBEDDINGS_API_KEYS_FILE */
  readonly apiKeysFile: string | undefined;
  readonly log: FollowOptions<unknown>['log'] & { warn(fields: object, message: string): void };
  readonly now?: () => number;
  /** Permission bits of a file. */
  readonly modeOf?: (path: string) => number;
}

export interface FollowedKeys extends Keys {
  close(): void;
}

/**
 * The keys in force, of the environment and of the file as it is now; undefined where neither is set, which opens the
 * server. @throws KeyFileError when the file is bad at the start
 */
export function followKeys(options: FollowKeysOptions): FollowedKeys | undefined {
  const { apiKeys: plain, apiKeysFile: path, log, files, clock, now, modeOf = realModeOf } = options;
  if (path === undefined) {
    if (plain.length === 0) return undefined;
    const ring = new KeyRing({ plain }, now);
    return { find: (key) => ring.find(key), close: () => {} };
  }
  const use = (records: readonly KeyRecord[]): KeyRing => {
    warnOfMode(path, modeOf, log);
    return new KeyRing({ plain, records }, now);
  };
  const followed = new FollowedFiles({
    what: 'key file',
    paths: [path],
    read: (reader) => readKeyFile(path, reader),
    onChange: (records) => {
      ring = use(records);
      log.info({ path, keys: records.length }, 'key file changed');
    },
    log,
    files,
    clock,
  });
  let ring = use(followed.current);
  return { find: (key) => ring.find(key), close: () => followed.close() };
}

function readKeyFile(path: string, files: Pick<WatchedFiles, 'read'>): readonly KeyRecord[] {
  let records: readonly KeyRecord[];
  try {
    records = parseKeyFile(files.read(path)).map(({ record }) => record);
  } catch (error) {
    if (error instanceof KeyFileError) throw new KeyFileError(error.message.replaceAll(/^/gm, `${path} `));
    throw new KeyFileError(
      `${path}: expected a readable file of keys (EMBEDDINGS_API_KEYS_FILE): ${(error as Error).message}`,
    );
  }
  // Also what a half-written file looks like, so the last good keys must survive it.
  if (records.length === 0)
    throw new KeyFileError(`${path}: expected at least one key, got none; make one with \`embeddings keys create\``);
  return records;
}

const othersReadOrWrite = 0o026; // the group may read

function warnOfMode(path: string, modeOf: (path: string) => number, log: FollowKeysOptions['log']): void {
  const mode = modeOf(path) & 0o777;
  if ((mode & othersReadOrWrite) === 0) return;
  const advice = 'others may read or write the key file; chmod 600 it';
  log.warn({ path, mode: mode.toString(8).padStart(4, '0') }, advice);
}

function realModeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
}
