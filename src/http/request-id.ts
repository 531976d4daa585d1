import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The id a client sent, where it is safe to put into logs and headers; else a new one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const sent = request.headers['x-client-request-id'] ?? request.headers['x-request-id'];
  if (typeof sent === 'string' && /^[\x21-\x7e]{1,512}$/.test(sent)) return sent;
  return `req_${randomUUID().replaceAll('-', '')}`;
}
