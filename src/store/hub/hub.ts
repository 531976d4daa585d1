/** How the hub is reached. */
export interface HubOptions {
  /** `https://huggingface.co`, or a mirror that answers the same paths; without a slash at its end. */
  readonly endpoint: string;
  /** Read for each download, so that a new token needs no restart. Undefined: none is sent. */
  readonly readToken: () => string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly httpProxy?: string | undefined;
  /** Comma-separated hosts reached without a proxy. */
  readonly directHosts?: string | undefined;
}
