import type { HubOptions } from './hub.ts';
import { createTokenReader } from './token-reader.ts';

/** The settings that say how the hub is reached, under their own names. */
export interface HubSettings {
  readonly hfEndpoint: string;
  readonly hfToken: string | undefined;
  readonly hfTokenPath: string;
  readonly httpsProxy: string | undefined;
  readonly httpProxy: string | undefined;
  readonly directHosts: string | undefined;
}

export function toHub(settings: HubSettings): HubOptions {
  const { hfEndpoint: endpoint, httpsProxy, httpProxy, directHosts } = settings;
  return { endpoint, readToken: createTokenReader(settings), httpsProxy, httpProxy, directHosts };
}
