import { ServiceError } from '../errors.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import { HubError } from '../store/hub/hub-error.ts';
import type { LocatedModel } from '../store/locate-model.ts';
import { longestRetryAfterSeconds } from '../util/retry-after.ts';
import type { FetchOptions } from './model-files.ts';

export interface FetchModelOptions {
  readonly isOffline: boolean;
  /** @throws HubError */
  readonly download: (entry: AllowlistEntry, options: FetchOptions) => Promise<LocatedModel>;
  /** The places looked at on this machine, in words. */
  readonly describePlaces: (entry: AllowlistEntry) => string;
}

const retrySeconds = 10; // where the hub does not say

/** Downloads allowed models, and tells clients in their terms what goes wrong. */
export function createFetch({ isOffline, download, describePlaces }: FetchModelOptions) {
  return async (entry: AllowlistEntry, options: FetchOptions): Promise<LocatedModel> => {
    const model = entry.name;
    if (isOffline)
      throw new ServiceError('model_not_downloaded', { model, places: describePlaces(entry), param: 'model' });
    try {
      return await download(entry, options);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      const { message: reason, isTransient } = error;
      const retryAfterSeconds = Math.min(error.retryAfterSeconds ?? retrySeconds, longestRetryAfterSeconds);
      if (isTransient)
        throw new ServiceError('download_interrupted', { model, reason, retryAfterSeconds }, { cause: error });
      throw new ServiceError('download_failed', { model, reason }, { cause: error });
    }
  };
}
