/** Who sends a request: the holder of one API key, or everybody where the server is open. */
export interface Caller {
  /** The name of its key, for logs and fair shares; never the key. */
  readonly name: string;
  /** Names of the allowlist that it may use; all of them when undefined. */
  readonly models?: readonly string[] | undefined;
  /** Requests a minute at most, instead of the server's own limit. */
  readonly requestsPerMinute?: number | undefined;
  /** Tokens a minute at most, instead of the server's own limit. */
  readonly tokensPerMinute?: number | undefined;
}

/** Everybody, where the server has no keys. */
export const anyone: Caller = { name: 'anyone' };
