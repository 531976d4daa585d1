import { repositoryCache } from '../hub-cache.ts';
import type { LocatedModel } from '../locate-model.ts';
import type { LockedModel } from '../lock-file.ts';
import { isRepositoryId, isRevision } from '../repository-id.ts';
import { explainDiskError } from './disk-error.ts';
import { runDownload } from './download-job.ts';
import type { DownloadProgress } from './download-progress.ts';
import { type DownloadSystem, realSystem } from './download-system.ts';
import type { HubOptions } from './hub.ts';
import { connectHub } from './hub-connection.ts';

export type { DownloadProgress } from './download-progress.ts';

export interface DownloadOptions {
  /** Branch, tag or commit; `main` when absent. */
  readonly revision?: string | undefined;
  readonly hfHubCache: string;
  readonly hub: HubOptions;
  /** Its commit is fetched, and files that differ are refused. */
  readonly locked?: LockedModel | undefined;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Downloads a model from the hub into the Hugging Face cache, which Python shares. What is there already, whole or in
 * part, is not fetched again; a file that another download fetches is waited for. Settles, also after an abort, when
 * every file is closed and every lock released.
 * @throws HubError, the signal's reason
 */
export async function downloadModel(
  repository: string,
  options: DownloadOptions,
  system: DownloadSystem = realSystem,
): Promise<LocatedModel> {
  const { revision = 'main', hfHubCache, locked, onProgress = () => {}, signal = never } = options;
  // The allowlist lets no other names in; checked again because these become paths.
  if (!isRepositoryId(repository) || !isRevision(revision))
    throw new Error(
      `Expected a Hugging Face id and a revision, got ${JSON.stringify({ repository, revision })}. This is a bug.`,
    );
  signal.throwIfAborted();
  const hub = await connectHub(options.hub, system.timeouts);
  try {
    return await runDownload({ repository, revision, hfHubCache, locked, hub, system, signal, report: onProgress });
  } catch (error) {
    signal.throwIfAborted(); // what broke on the way down is not why it ended
    throw explainDiskError(error, repositoryCache(hfHubCache, repository).root);
  } finally {
    await hub.close();
  }
}

const never = new AbortController().signal;
