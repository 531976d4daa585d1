type HubErrorKind =
  | 'not_found'
  | 'no_access'
  | 'rate_limited'
  | 'unreachable'
  | 'disk_full'
  | 'not_writable'
  | 'corrupt'
  | 'bad_answer'
  | 'locked_mismatch';

interface HubErrorOptions extends ErrorOptions {
  readonly retryAfterSeconds?: number | undefined;
  /** By default only what comes and goes by itself: `unreachable` and `rate_limited`. */
  readonly isTransient?: boolean;
}

/**
 * A download that failed. The message says what happened and what to do; it never holds a token, the password of a
 * proxy or the query of an address, which may be a signature.
 */
export class HubError extends Error {
  readonly kind: HubErrorKind;
  /** As the hub asks for it. */
  readonly retryAfterSeconds?: number;
  /** Whether the same download may succeed later without anybody's help. */
  readonly isTransient: boolean;

  constructor(kind: HubErrorKind, message: string, options: HubErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HubError';
    this.kind = kind;
    if (options.retryAfterSeconds !== undefined) this.retryAfterSeconds = options.retryAfterSeconds;
    this.isTransient = options.isTransient ?? (kind === 'unreachable' || kind === 'rate_limited');
  }
}
