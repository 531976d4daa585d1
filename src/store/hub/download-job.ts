import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../../util/format-bytes.ts';
import { findLockProblem } from '../compare-with-lock.ts';
import { findRoomProblem } from '../disk-room.ts';
import { isCommit, repositoryCache } from '../hub-cache.ts';
import type { LocatedModel } from '../locate-model.ts';
import { findLockedFile, type LockedModel } from '../lock-file.ts';
import { findMissingFiles } from '../missing-files.ts';
import { linkBlob, writeRef } from '../snapshot.ts';
import { diskFull } from './disk-error.ts';
import { type BlobContext, bytesOnDisk, downloadBlob } from './download-blob.ts';
import { type DownloadProgress, ProgressCounter } from './download-progress.ts';
import type { DownloadSystem } from './download-system.ts';
import type { HubConnection } from './hub-connection.ts';
import { describeFile, type HubFile } from './hub-file.ts';
import { checkLocked, keepLocked, notAsLocked } from './locked-files.ts';
import { planDownload, unusable } from './plan-download.ts';
import { fetchListing } from './repository-listing.ts';
import { retry } from './retry.ts';
import { runParallel } from './run-parallel.ts';

export interface DownloadJob {
  readonly repository: string;
  readonly revision: string;
  readonly hfHubCache: string;
  readonly locked: LockedModel | undefined;
  readonly hub: HubConnection;
  readonly system: DownloadSystem;
  readonly signal: AbortSignal;
  readonly report: (progress: DownloadProgress) => void;
}

const filesAtOnce = 4; // enough to fill a line while small files wait for answers, few enough to be polite
const maxReadBytes = 64e6; // of a JSON file that says which others are needed; the largest known has 1 MB
const maxQuestionFailures = 4; // with waits of 1, 2 and 4 s: somebody may be waiting for a first answer

/** Downloads what a model needs to be computed. @throws HubError, the signal's reason, errors of the file system */
export async function runDownload(job: DownloadJob): Promise<LocatedModel> {
  const { repository, revision, hfHubCache, locked, hub, system, signal, report } = job;
  const ask = <T>(question: () => Promise<T>, stop = signal): Promise<T> =>
    retry(question, { maxFailures: maxQuestionFailures, sleep: system.sleep, signal: stop });
  const asked = { repository, revision: locked?.commit ?? revision };
  const { commit, files } = keepLocked(await ask(() => fetchListing(hub, asked, signal)), locked);

  const cache = repositoryCache(hfHubCache, repository);
  const folder = join(cache.snapshots, commit);
  const context: BlobContext = { hub, repository, commit, cache, system, signal };
  await mkdir(cache.blobs, { recursive: true });
  await mkdir(folder, { recursive: true });

  const link = ({ path, etag: blob, sizeBytes }: HubFile): Promise<void> =>
    linkBlob({ cache, commit, symlink: system.symlink }, { path, blob, sizeBytes });

  const listed = new Map(files.map((file) => [file.path, file]));
  const describe = async (path: string, stop = signal): Promise<HubFile> => {
    const file = listed.get(path);
    if (file === undefined) throw new Error(`Expected a listed file, got ${path}. This is a bug.`);
    const question = { asked: { repository, revision: commit, file: path }, signal: stop };
    const described = await ask(() => describeFile(hub, file, question), stop);
    checkLocked(described, locked);
    return described;
  };
  const fetch = async (path: string, kind: 'other' | 'weights'): Promise<string> => {
    const file = await describe(path);
    if (file.sizeBytes > maxReadBytes)
      throw unusable(
        repository,
        `its ${path} has ${formatBytes(file.sizeBytes)}, and at most ${formatBytes(maxReadBytes)} are read`,
      );
    await downloadBlob(context, { file, locked: findLockedFile(locked, path), onSize: () => {}, onWait: () => {} });
    if (kind === 'other') await link(file);
    return join(cache.blobs, file.etag);
  };

  const selection = await planDownload({ repository, paths: [...listed.keys()], folder, fetch });
  const others = await describeAll(selection.others, describe, signal);
  const isComplete = locked === undefined && findMissingFiles(folder) === undefined;
  const weights = await describeAll(
    isComplete && !isIn(folder, selection.weights) ? [] : selection.weights, // Python's, of another format: they serve
    describe,
    signal,
  );
  await downloadAll(context, { files: [...others, ...weights], locked, report });
  for (const file of others) await link(file);
  // The weights last: a folder without them never looks complete, whatever stops us.
  for (const file of weights) await link(file);
  const problem = findMissingFiles(folder);
  if (problem !== undefined) throw unusable(repository, `its folder is not complete (${problem})`);
  const stranger = locked && findLockProblem(folder, locked); // others write to the cache too
  if (stranger !== undefined) throw notAsLocked(repository, `${stranger}, in ${folder}`);
  if (!isCommit(revision)) await writeRef(cache, revision, commit);
  return { kind: 'cache', folder, revision: commit };
}

/** Whether a folder has these weights; the last of them makes them complete. */
function isIn(folder: string, weights: readonly string[]): boolean {
  return existsSync(join(folder, weights.at(-1) ?? ''));
}

async function describeAll(
  paths: readonly string[],
  describe: (path: string, signal: AbortSignal) => Promise<HubFile>,
  signal: AbortSignal,
): Promise<readonly HubFile[]> {
  const found = new Map<string, HubFile>();
  await runParallel(paths, async (path, stop) => void found.set(path, await describe(path, stop)), {
    atOnce: filesAtOnce,
    signal,
  });
  return paths.flatMap((path) => found.get(path) ?? []);
}

interface BlobsWanted {
  readonly files: readonly HubFile[];
  readonly locked: LockedModel | undefined;
  readonly report: DownloadJob['report'];
}

async function downloadAll(context: BlobContext, { files, locked, report }: BlobsWanted): Promise<void> {
  const { cache, system, signal } = context;
  const unique = [...new Map(files.map((file) => [file.etag, file])).values()]; // equal files are one blob
  const onDisk = new Map<string, number>();
  for (const file of unique) onDisk.set(file.etag, await bytesOnDisk(cache, file));
  const problem = findRoomProblem({
    folder: cache.root,
    neededBytes: unique.reduce((sum, { etag, sizeBytes }) => sum + sizeBytes - (onDisk.get(etag) ?? 0), 0),
    freeBytes: await system.freeBytes(cache.root),
  });
  if (problem !== undefined) throw diskFull(problem);
  const progress = new ProgressCounter(unique, onDisk, report);
  const download = (file: HubFile, stop: AbortSignal): Promise<void> =>
    downloadBlob(
      { ...context, signal: stop },
      {
        file,
        locked: findLockedFile(locked, file.path),
        onSize: (sizeBytes) => progress.set(file.etag, sizeBytes),
        onWait: () => progress.wait(file.etag),
      },
    );
  await runParallel(unique, download, { atOnce: filesAtOnce, signal });
}
