import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.ts';
import { parseJson } from '../request/parse-json.ts';
import { deadlineOf } from './deadline.ts';
import { HeldBytes, type Hold } from './held-bytes.ts';
import type { HttpDeps } from './http-deps.ts';
import { peekModel } from './peek-model.ts';
import { readBody } from './read-body.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Why the body was not parsed: the queue of its model has no room. */
    refusal: ServiceError | undefined;
    hold: Hold | undefined;
    /** When the answer of an embedding request is of no use any more, on the clock of `performance.now()`; never when undefined. */
    deadlineMs: number | undefined;
  }
}

const longLeftBytes = 64 * 1024; // less than this is read to its end, and the connection is kept

/**
 * The one way bodies come in: as JSON, uncompressed, within their limits, and each refused as early as it can be: by
 * its headers before it is read, by the queue of its model before it is parsed.
 */
export function acceptJsonOnly(app: FastifyInstance, deps: HttpDeps): void {
  const { config, metrics } = deps;
  const bodies = new HeldBytes(config.maxBodiesBytes, (held) => metrics.bodyBytes.set(held));
  const noRoom = (): ServiceError =>
    new ServiceError('server_busy', { held: bodies.held, max: bodies.max, retryAfterSeconds: 1 });
  app.decorateRequest('refusal', undefined);
  app.decorateRequest('hold', undefined);
  app.decorateRequest('deadlineMs', undefined);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', (request, stream, done) => {
    const refusal = refuseByHeaders(request, config.maxBodyBytes);
    if (refusal !== undefined) return done(refusal);
    const hold = (request.hold = bodies.open());
    readBody(stream, { maxBytes: config.maxBodyBytes, hold, noRoom }, (error, bytes) => {
      if (error !== undefined || bytes === undefined) return done(error ?? null);
      request.refusal = refuseByQueue(request, bytes, deps);
      if (request.refusal !== undefined) return done(null, undefined); // the handler throws it; here it would end the connection
      try {
        done(null, parseJson(bytes, { maxInputs: config.maxBatchSize }));
      } catch (parseError) {
        done(parseError as Error);
      }
    });
  });
  app.addHook('onRequest', (request, reply, done) => {
    const startMs = performance.now() - reply.elapsedTime;
    if (request.routeOptions.config.embeds === true)
      request.deadlineMs = deadlineOf(request.headers, { startMs, maxWaitSeconds: config.maxWait });
    done();
  });
  app.addHook('preParsing', (request, reply, stream, done) => {
    reply.raw.once('close', () => request.hold?.release()); // the client may leave before there is an answer
    done(null, stream);
  });
  app.addHook('onResponse', (request, _reply, done) => {
    request.hold?.release();
    done();
  });
  app.addHook('onSend', (request, reply, _payload, done) => {
    // Who is refused early may have most of the body still to send.
    if (!request.raw.complete && declaredBytes(request) > longLeftBytes) void reply.header('connection', 'close');
    done();
  });
}

function refuseByHeaders(request: FastifyRequest, maxBytes: number): ServiceError | undefined {
  if (request.is404) return new ServiceError('unknown_url', { method: request.method, url: request.url }); // nothing would read it
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (encoding !== 'identity')
    return new ServiceError('unsupported_media_type', { got: `a body with Content-Encoding ${encoding}` });
  const declared = Number(request.headers['content-length'] ?? 0);
  return declared > maxBytes ? new ServiceError('body_too_large', { max: maxBytes }) : undefined;
}

/** Infinity where the request does not say it. */
function declaredBytes({ headers }: FastifyRequest): number {
  if (headers['transfer-encoding'] !== undefined) return Infinity;
  return Number(headers['content-length'] ?? 0);
}

function refuseByQueue(request: FastifyRequest, bytes: Buffer, deps: HttpDeps): ServiceError | undefined {
  if (deps.refuseEarly === undefined || request.routeOptions.config.embeds !== true) return undefined;
  const model = peekModel(bytes);
  if (model === undefined) return undefined;
  const { id: requestId, caller, deadlineMs } = request;
  return deps.refuseEarly(model, bytes.length, { requestId, caller: caller.name, deadlineMs });
}
