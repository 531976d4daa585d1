import { HubError } from './hub-error.ts';

const advice =
  'Check the network, HTTPS_PROXY and HF_ENDPOINT. Without a network set HF_HUB_OFFLINE=1 and bring models with `embeddings import`.';

const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name could not be resolved',
  EAI_AGAIN: 'its name could not be resolved',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ETIMEDOUT: 'it did not answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'it did not answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'it stopped sending',
};

/** What a failed connection means; `host` without credentials. The error itself stays out: it may hold an address. */
export function unreachable(error: unknown, host: string): HubError {
  const { code, message } = asSystemError(error);
  const proxyStatus = /Proxy response \((\d{3})\)/.exec(message)?.[1] ?? (/\(407\)/.test(message) ? '407' : undefined);
  if (proxyStatus !== undefined) return proxyRefused(host, proxyStatus);
  if (/CERT|SELF_SIGNED|UNABLE_TO_|TLS|SSL|EPROTO/.test(code) || /certificate/.test(message))
    return new HubError(
      'unreachable',
      `There is no secure connection to ${host} (${code || 'certificate'}). Where a proxy reads TLS, set NODE_EXTRA_CA_CERTS to the file of its certificate authority.`,
      { isTransient: false },
    );
  const reason = reasons[code] ?? (code === '' ? 'the connection failed' : code);
  return new HubError('unreachable', `${host} could not be reached: ${reason}${placeOf(error)}. ${advice}`);
}

/** A proxy that answered instead of the host. */
export function proxyRefused(host: string, status: string): HubError {
  const what =
    status === '407'
      ? 'wants a user name and a password: HTTPS_PROXY=http://user:password@host:port, or HTTP_PROXY for a hub over http'
      : `answered ${status}: ask its administrator to let ${host} through, or name the host in NO_PROXY`;
  return new HubError('unreachable', `${host} could not be reached: the proxy ${what}.`, {
    isTransient: status.startsWith('5'),
  });
}

/** ` at 127.0.0.1:3128`, which may be the proxy's. */
function placeOf(error: unknown): string {
  const { address, port } = error as { readonly address?: unknown; readonly port?: unknown };
  return typeof address === 'string' && typeof port === 'number' ? ` at ${address}:${port}` : '';
}

function asSystemError(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: '', message: '' };
  const { code } = error as { readonly code?: unknown };
  return { code: typeof code === 'string' ? code : '', message: error.message };
}
