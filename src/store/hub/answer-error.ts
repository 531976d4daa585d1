import type { HubAnswer, HubConnection } from './hub-connection.ts';
import { HubError } from './hub-error.ts';

/** What was asked for, for messages. */
export interface Asked {
  readonly repository: string;
  readonly revision: string;
  /** Undefined: the repository itself. */
  readonly file?: string;
}

/** What an answer other than the one hoped for means, by its status and the hub's `X-Error-Code`. */
export function answerError(answer: HubAnswer, { endpoint, hasToken }: HubConnection, asked: Asked): HubError {
  const { status, host } = answer;
  const { repository, revision, file } = asked;
  const page = `${endpoint}/${repository}`;
  const errorCode = answer.isHub ? answer.header('x-error-code') : undefined;
  const errorMessage = answer.isHub ? (answer.header('x-error-message') ?? '') : '';

  const retryAfterSeconds = parseRetryAfter(answer.header('retry-after'));
  const wait = retryAfterSeconds === undefined ? '' : ` and asks to wait ${retryAfterSeconds} s`;
  if (status === 429)
    return new HubError(
      'rate_limited',
      `${host} answered 429${wait}: too many requests from this address.${hasToken ? '' : ' With HF_TOKEN the limit is higher.'}`,
      { retryAfterSeconds },
    );
  if (status === 408 || status >= 500)
    return new HubError('unreachable', `${host} is in trouble: it answered ${status}${wait}. Try again later.`, {
      retryAfterSeconds,
    });
  // The signature of an address runs out, and the next try gets a new one.
  if (!answer.isHub && status >= 400)
    return new HubError('bad_answer', `${host}, which ${endpoint} sent us to, answered ${status}.`, {
      isTransient: true,
    });
  if (errorCode === 'GatedRepo')
    return new HubError(
      'no_access',
      `${repository} is gated: accept its terms at ${page} and set HF_TOKEN to a token of that account${hasToken ? ' (the token in use has no access)' : ''}.`,
    );
  if (errorCode === 'DisabledRepo' || errorMessage === 'Access to this resource is disabled.')
    return new HubError('no_access', `${page} is disabled by the hub. Choose another model.`);
  if (status === 401 && errorMessage === 'Invalid credentials in Authorization header')
    return new HubError('no_access', `${host} refused the token. Set HF_TOKEN to a valid one, or remove it.`);
  if (errorCode === 'RevisionNotFound')
    return new HubError('not_found', `${repository} has no revision ${revision}. ${page}/tree/main lists them.`);
  if (errorCode === 'EntryNotFound' || (status === 404 && file !== undefined))
    return new HubError('not_found', `${repository} has no file ${file ?? ''} at revision ${revision}.`);
  if (errorCode === 'RepoNotFound' || status === 404 || status === 401)
    return new HubError(
      'not_found',
      `There is no repository ${repository} at ${endpoint}, or it is private${hasToken ? ' and the token in use has no access' : ': set HF_TOKEN'}. Check the spelling.`,
    );
  if (status === 403)
    return new HubError(
      'no_access',
      `${host} answered 403 for ${repository}: access is denied${hasToken ? ' to the token in use' : ', set HF_TOKEN'}. A proxy may also have answered.`,
    );
  return new HubError(
    'bad_answer',
    `Expected ${host} to answer for ${repository}, got status ${status}. Check HF_ENDPOINT and the proxy.`,
  );
}

/** Seconds, or a date. */
export function parseRetryAfter(value: string | undefined, nowMs = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, Math.ceil((dateMs - nowMs) / 1000));
}
