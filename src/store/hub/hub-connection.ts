import type { Dispatcher } from 'undici';
import { readVersion } from '../../util/version.ts';
import type { DownloadSystem } from './download-system.ts';
import type { HubOptions } from './hub.ts';
import { HubError } from './hub-error.ts';
import { proxyRefused, unreachable } from './unreachable.ts';

export interface HubRequest {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Ends the way along redirects early, where a redirect itself says what is wanted. */
  readonly isEnough?: (answer: HubAnswer) => boolean;
}

export interface HubAnswer {
  readonly status: number;
  /** Lower-case; the first of a header that comes twice. */
  readonly header: (name: string) => string | undefined;
  /** Ends with a HubError where the connection is cut. Read it to its end, or call `discard`. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly discard: () => void;
  /** Where it came from, without credentials. */
  readonly host: string;
  /** Whether the hub itself answered, not the server of large files that it sent us to. */
  readonly isHub: boolean;
}

/** Connections to one hub. */
export interface HubConnection {
  /** Follows redirects. @throws HubError where no answer comes, the signal's reason where that fires */
  readonly request: (request: HubRequest) => Promise<HubAnswer>;
  readonly endpoint: string;
  readonly hasToken: boolean;
  readonly close: () => Promise<void>;
}

const maxRedirects = 5;

/** @throws HubError for settings that cannot be used */
export async function connectHub(options: HubOptions, timeouts: DownloadSystem['timeouts']): Promise<HubConnection> {
  const { EnvHttpProxyAgent, request } = await import('undici'); // the start of the server does not pay for it
  const { connectMs, answerMs, idleMs } = timeouts;
  const dispatcher = new EnvHttpProxyAgent({
    // Empty texts, because undefined would make it read the environment.
    httpProxy: toProxyUrl(options.httpProxy, 'HTTP_PROXY'),
    httpsProxy: toProxyUrl(options.httpsProxy, 'HTTPS_PROXY'),
    noProxy: options.directHosts ?? '',
    connect: { timeout: connectMs },
    proxyTls: { timeout: connectMs },
    requestTls: { timeout: connectMs },
    proxyTunnel: false, // some proxies tunnel to https only; http goes through them as curl and Python send it
  });
  const hub = new URL(options.endpoint);
  const token = checkToken(options.readToken());
  const userAgent = `embeddings/${readVersion()}`;

  const requestOnce = async (url: URL, { method = 'GET', headers, signal }: HubRequest): Promise<HubAnswer> => {
    const isHub = url.origin === hub.origin;
    const answerBy = new AbortController();
    // Covers the proxy's answer to CONNECT too, which none of the dispatcher's own timeouts does.
    const timer = setTimeout(() => answerBy.abort(), connectMs + answerMs);
    const leave = () => answerBy.abort();
    signal.addEventListener('abort', leave);
    const detach = () => signal.removeEventListener('abort', leave);
    try {
      signal.throwIfAborted();
      const {
        statusCode,
        headers: got,
        body,
      } = await request(url, {
        dispatcher,
        method,
        signal: answerBy.signal,
        headersTimeout: answerMs, // here, because a dispatcher does not hand its own on to a proxy without a tunnel
        bodyTimeout: idleMs,
        headers: {
          'user-agent': userAgent,
          'accept-encoding': 'identity', // a compressed body has other sizes and ranges
          ...headers,
          ...(isHub && token !== undefined ? { authorization: `Bearer ${token}` } : {}),
        },
      });
      body.once('close', detach);
      if (statusCode === 407) {
        body.on('error', () => {}).destroy();
        throw proxyRefused(url.host, '407');
      }
      return {
        status: statusCode,
        header: (name) => [got[name]].flat()[0],
        body: readBody(body, { host: url.host, signal }),
        discard: () => void body.on('error', () => {}).destroy(),
        host: url.host,
        isHub,
      };
    } catch (error) {
      detach();
      signal.throwIfAborted();
      if (error instanceof HubError) throw error;
      const isLate = answerBy.signal.aborted;
      throw unreachable(isLate ? Object.assign(new Error(), { code: 'ETIMEDOUT' }) : error, url.host);
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    endpoint: options.endpoint,
    hasToken: token !== undefined,
    request: async (wanted) => {
      let url = new URL(wanted.url);
      for (let redirects = 0; ; redirects++) {
        const answer = await requestOnce(url, wanted);
        const location = isRedirect(answer.status) ? answer.header('location') : undefined;
        if (location === undefined || wanted.isEnough?.(answer) === true) return answer;
        answer.discard();
        if (redirects === maxRedirects)
          throw new HubError(
            'bad_answer',
            `${hub.host} redirected more than ${maxRedirects} times. Check HF_ENDPOINT.`,
          );
        url = redirectTarget(location, url);
      }
    },
    close: () => dispatcher.destroy(),
  };
}

async function* readBody(
  body: Dispatcher.ResponseData['body'],
  { host, signal }: { readonly host: string; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk as Uint8Array; // undici's bodies are of buffers
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(error, host);
  }
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

function redirectTarget(location: string, from: URL): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && from.protocol === 'http:');
  if (url === undefined || !isSafe)
    throw new HubError(
      'bad_answer',
      `Expected ${from.host} to redirect to an address of ${from.protocol.slice(0, -1)}, got another. Check HF_ENDPOINT and the proxy.`,
    );
  url.username = '';
  url.password = '';
  return url;
}

/** `proxy:3128` counts as http, as for curl. The value stays out of messages: it may hold a password. */
function toProxyUrl(value: string | undefined, variable: string): string {
  if (value === undefined || value === '') return '';
  const url = value.includes('://') ? value : `http://${value}`;
  if (!URL.canParse(url) || !/^(https?|socks5?):$/.test(new URL(url).protocol))
    throw new HubError('unreachable', `Expected ${variable} as http://host:port, got something else.`, {
      isTransient: false,
    });
  return url;
}

function checkToken(token: string | undefined): string | undefined {
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new HubError(
      'no_access',
      'The Hugging Face token holds spaces or characters that no token has. Check HF_TOKEN or the token file.',
    );
  return token;
}
