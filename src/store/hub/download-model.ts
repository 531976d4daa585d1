import type { LocatedModel } from '../locate-model.ts';
import type { LockedModel } from '../lock-file.ts';
import type { HubOptions } from './hub.ts';

export interface DownloadProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}
export interface DownloadOptions {
  readonly revision?: string | undefined;
  readonly hfHubCache: string;
  readonly hub: HubOptions;
  readonly locked?: LockedModel | undefined;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
}
export async function downloadModel(_repository: string, _options: DownloadOptions): Promise<LocatedModel> {
  throw new Error('stub');
}
