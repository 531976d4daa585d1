import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.ts';
import { allowedMethods } from './error-replies.ts';
import type { HttpDeps } from './http-deps.ts';

/** What one request's log line and metrics say. Never texts, tokens or keys. */
export interface RequestFacts {
  /** An id of the allowlist, else `unknown`: a client must not be able to make new metric series. */
  model: string;
  inputs: number;
  tokens: number;
  cuts: number;
  /** When the body was read and parsed, `performance.now()`; undefined until then. */
  readAtMs: number | undefined;
  error: Error | undefined;
  isRecorded: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    facts: RequestFacts | null;
  }
  interface FastifyContextConfig {
    /** Counted as an embedding request. */
    embeds?: boolean;
    /** Logged at debug level: probes and scrapes come every few seconds. */
    isQuiet?: boolean;
  }
}

/** The headers every answer carries, one log line for each request, and the request metrics. */
export function registerTiming(app: FastifyInstance, deps: Pick<HttpDeps, 'logger' | 'metrics'>): void {
  app.decorateRequest('facts', null);
  app.addHook('onRequest', (request, _reply, done) => {
    request.facts = newFacts();
    done();
  });
  app.addHook('onSend', (request, reply, _payload, done) => {
    setCommonHeaders(request, reply);
    if (request.method === 'OPTIONS') void reply.header('allow', allowedMethods(app, request.url).join(', '));
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    recordRequest(request, reply, deps);
    done();
  });
}

/** What every answer carries. */
export function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('x-request-id', request.id);
  void reply.header('openai-version', '2020-10-01');
  void reply.header('openai-processing-ms', Math.round(reply.elapsedTime));
}

/** Writes the log line and metrics of one request, once; `onResponse` never comes for a client that left. */
export function recordRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  { logger, metrics }: Pick<HttpDeps, 'logger' | 'metrics'>,
  status: number = reply.statusCode,
): void {
  const facts = request.facts;
  if (facts === null || facts.isRecorded) return;
  facts.isRecorded = true;
  const { config, url } = request.routeOptions;
  if (config.embeds === true) {
    metrics.requests.inc({ model: facts.model, status: String(status) });
    if (facts.readAtMs !== undefined) {
      metrics.requestSeconds.observe({ model: facts.model }, (performance.now() - facts.readAtMs) / 1000);
    }
  }
  const level = status >= 500 ? 'error' : config.isQuiet === true ? 'debug' : 'info';
  if (!logger.isLevelEnabled(level)) return;
  const line: Record<string, unknown> = {
    requestId: request.id,
    method: request.method,
    route: url ?? 'unknown',
    status,
    ms: Math.round(reply.elapsedTime * 100) / 100,
  };
  if (config.embeds === true) {
    line['model'] = facts.model;
    line['inputs'] = facts.inputs;
    line['tokens'] = facts.tokens;
  }
  if (facts.cuts > 0) line['cut'] = facts.cuts;
  if (facts.error instanceof ServiceError) line['code'] = facts.error.code;
  // Only faults of the server: the message of a client's error may quote what the client sent.
  if (facts.error !== undefined && status >= 500) line['err'] = facts.error;
  logger[level](line, 'request');
}

function newFacts(): RequestFacts {
  return {
    model: 'unknown',
    inputs: 0,
    tokens: 0,
    cuts: 0,
    readAtMs: undefined,
    error: undefined,
    isRecorded: false,
  };
}
