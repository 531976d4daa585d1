import type { LocatedModel } from '../locate-model.ts';
import type { DownloadOptions, DownloadProgress } from './download-model.ts';
import type { HubError } from './hub-error.ts';
import type { HubOptions } from './hub.ts';

/** What the process of a download is told first: options that can be sent. */
export interface DownloadTask extends Pick<DownloadOptions, 'revision' | 'hfHubCache' | 'locked'> {
  readonly kind: 'download';
  readonly repository: string;
  readonly hub: Omit<HubOptions, 'readToken'>;
  readonly token: string | undefined;
  /** Of the request that wanted the model first. */
  readonly requestId: string | undefined;
}

export type ToChild = DownloadTask | { readonly kind: 'stop' };

export type FromChild =
  | { readonly kind: 'progress'; readonly progress: DownloadProgress }
  | { readonly kind: 'done'; readonly located: LocatedModel }
  | { readonly kind: 'stopped' }
  | {
      readonly kind: 'failed';
      readonly message: string;
      /** Where it is a HubError. */
      readonly hub?: Pick<HubError, 'kind' | 'isTransient' | 'retryAfterSeconds'>;
    };
