import type { Peer } from './peer.ts';

/**
 * A server that already runs, as `NAME=URL` or `NAME=URL#MODEL`. Nothing but its answers is known, so what needs its
 * process is left out: CPU seconds, memory and start.
 */
export function parseEndpoint(argument: string, defaultModel: string): Peer {
  const found = /^([^=]+)=(https?:\/\/[^#]+)(?:#(.+))?$/.exec(argument);
  const [, name, address, model = defaultModel] = found ?? [];
  if (name === undefined || address === undefined || !URL.canParse(address))
    throw new Error(`Expected NAME=URL or NAME=URL#MODEL, such as tei=http://localhost:8080; got ${argument}`);
  const { protocol, origin, pathname } = new URL(address);
  if (protocol !== 'http:' || !['/', '/v1', '/v1/'].includes(pathname))
    throw new Error(`Expected an http:// URL without a path of its own; got ${address}`);
  return { name, model, start: () => Promise.resolve({ url: origin, close: () => Promise.resolve() }) };
}
