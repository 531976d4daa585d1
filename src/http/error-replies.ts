import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.ts';
import type { HttpDeps } from './http-deps.ts';
import { requestIdOf } from './request-id.ts';

/** Every error, unknown paths and wrong methods too, becomes OpenAI's object with four keys. */
export function registerErrors(app: FastifyInstance, { config }: Pick<HttpDeps, 'config'>): void {
  const notFound = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const allowed = allowedMethods(app, request.url);
    if (allowed.length === 0 || allowed.includes(request.method)) {
      return sendError(unknownUrl(request), request, reply);
    }
    void reply.header('allow', allowed.join(', '));
    const details = { method: request.method, url: pathOf(request.url), allowed: allowed.join(', ') };
    return sendError(new ServiceError('method_not_supported', details), request, reply);
  };
  app.setNotFoundHandler(notFound);
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    // A body that cannot be read does not matter where nothing would have read it.
    return request.is404 ? notFound(request, reply) : sendError(error, request, reply, config.maxBodyBytes);
  });
}

/** Answers with `error`; what is not a ServiceError becomes `internal_error` and is only logged. */
export function sendError(error: Error, request: FastifyRequest, reply: FastifyReply, maxBodyBytes = 0): FastifyReply {
  const shown = toServiceError(error, request, maxBodyBytes);
  if (request.facts) Object.assign(request.facts, { error, code: shown.code });
  const { retryAfterSeconds } = shown.details;
  if (retryAfterSeconds !== undefined) {
    void reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterSeconds))));
    void reply.header('retry-after-ms', String(Math.ceil(retryAfterSeconds * 1000)));
  }
  if (shown.retry !== undefined) void reply.header('x-should-retry', String(shown.retry));
  const body = Buffer.from(JSON.stringify({ error: shown.toOpenAI() }));
  return reply.code(shown.status).header('content-type', 'application/json').send(body);
}

/** The last word on a connection whose request Node could not read. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket, timeoutSeconds: number): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const shown = clientError(error, timeoutSeconds);
  const body = JSON.stringify({ error: shown.toOpenAI() });
  const head = [
    `HTTP/1.1 ${shown.status} ${STATUS_CODES[shown.status] ?? ''}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestIdOf({ headers: {} })}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function clientError(error: NodeJS.ErrnoException, seconds: number): ServiceError {
  if (error.code === 'HPE_HEADER_OVERFLOW') return new ServiceError('headers_too_large');
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return new ServiceError('request_timeout', { seconds });
  return new ServiceError('invalid_http', { reason: error.code ?? 'unknown' });
}

function toServiceError(error: Error, request: FastifyRequest, maxBodyBytes: number): ServiceError {
  if (error instanceof ServiceError) return error;
  switch ((error as FastifyError).code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ServiceError('body_too_large', { max: maxBodyBytes });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_INVALID_TYPE':
      return new ServiceError('unsupported_media_type', { got: request.headers['content-type'] ?? 'none' });
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new ServiceError('invalid_http', { reason: 'the body is not as long as its Content-Length' });
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
    case 'FST_STATIC_FORBIDDEN_PATH': // `/docs/static/../x`
      return unknownUrl(request);
    case 'ECONNRESET': // the client left while its body was being read
      return new ServiceError('client_closed_request');
    default:
      return isClientError(error)
        ? new ServiceError('invalid_http', { reason: error.message })
        : new ServiceError('internal_error', { requestId: request.id });
  }
}

/** What Fastify or Node says of a request they could not take; an error thrown by our own code has no such code. */
function isClientError(error: Error): boolean {
  const { code, statusCode = 500 } = error as Partial<FastifyError>;
  return code?.startsWith('FST_ERR_') === true && statusCode >= 400 && statusCode < 500;
}

function unknownUrl(request: FastifyRequest): ServiceError {
  return new ServiceError('unknown_url', { method: request.method, url: pathOf(request.url) });
}

/** Without the query, which may hold secrets, and short. */
function pathOf(url: string): string {
  const path = url.split('?', 1)[0] ?? '';
  return path.length <= 256 ? path : `${path.slice(0, 256)}...`;
}

/** The methods a path answers to; empty where there is no such path. */
export function allowedMethods(app: FastifyInstance, url: string): readonly string[] {
  const path = url.split('?', 1)[0] ?? '';
  const found = ['GET', 'HEAD', 'POST'].filter((method) => app.findRoute({ method, url: path }) !== null);
  return found.length === 0 ? [] : [...found, 'OPTIONS'];
}
