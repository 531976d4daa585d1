import type { IncomingHttpHeaders } from 'node:http';

/**
 * When the client stops waiting, in milliseconds after it sent the request; undefined where it does not say.
 * OpenAI's SDKs say it with every request: the one for Python in seconds, the one for Node in whole seconds rounded
 * down. `x-request-timeout-ms` is for other clients and comes first.
 */
export function clientTimeoutMs(headers: IncomingHttpHeaders): number | undefined {
  const own = readNumber(headers['x-request-timeout-ms']);
  if (own !== undefined) return own;
  const python = readNumber(headers['x-stainless-read-timeout']);
  if (python !== undefined) return python * 1000;
  const node = readNumber(headers['x-stainless-timeout']);
  return node === undefined ? undefined : (node + 1) * 1000;
}

/** The earlier of what the client and the server allow; undefined where neither says anything. */
export function deadlineOf(
  headers: IncomingHttpHeaders,
  { startMs, maxWaitSeconds }: { readonly startMs: number; readonly maxWaitSeconds: number | undefined },
): number | undefined {
  const allowed = Math.min(clientTimeoutMs(headers) ?? Infinity, (maxWaitSeconds ?? Infinity) * 1000);
  return allowed === Infinity ? undefined : startMs + allowed;
}

/** Above 0, where the rounding down leaves it so; anything else says nothing. */
function readNumber(value: string | string[] | undefined): number | undefined {
  if (typeof value !== 'string' || !/^\d{1,9}(?:\.\d{1,6})?$/.test(value)) return undefined;
  return Number(value);
}
