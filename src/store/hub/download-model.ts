import type { LocatedModel } from '../locate-model.ts';
import type { LockedModel } from '../lock-file.ts';
import type { HubOptions } from './hub.ts';
import { HubError } from './hub-error.ts';

/** STUB, replaced at merge. */
export interface DownloadProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface DownloadOptions {
  readonly revision?: string;
  readonly hfHubCache: string;
  readonly hub: HubOptions;
  readonly locked?: LockedModel;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
}

export async function downloadModel(repository: string, _options: DownloadOptions): Promise<LocatedModel> {
  throw new HubError(`${repository}: downloading is not built yet`);
}
