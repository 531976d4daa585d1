import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { anyone } from '../access/caller.ts';
import type { ErrorCode } from '../errors.ts';
import { stagesOf, startTimeline, type Timeline } from '../tracing/timeline.ts';
import type { RequestSpan } from '../tracing/tracer.ts';
import { allowedMethods } from './error-replies.ts';
import type { HttpDeps } from './http-deps.ts';

/** What one request's log line, metrics and spans say. Never texts, tokens or keys. */
export interface RequestFacts {
  /** An id of the allowlist, else `unknown`: a client must not be able to make new metric series. */
  model: string;
  inputs: number;
  tokens: number;
  cuts: number;
  readonly timeline: Timeline;
  span: RequestSpan | undefined;
  error: Error | undefined;
  /** Of the error that the client saw. */
  code: ErrorCode | undefined;
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

type RecordDeps = Pick<HttpDeps, 'config' | 'logger' | 'metrics'>;

/** The headers every answer carries, one log line for each request, and the request metrics. */
export function registerTiming(app: FastifyInstance, deps: RecordDeps & Pick<HttpDeps, 'tracer'>): void {
  const { tracer } = deps;
  app.decorateRequest('facts', null);
  app.addHook('onRequest', (request, reply, done) => {
    const startMs = performance.now() - reply.elapsedTime;
    request.facts = newFacts(startMs);
    const { config, url = 'unknown' } = request.routeOptions;
    if (tracer !== undefined && config.embeds === true) {
      const { id: requestId, method, headers } = request;
      request.facts.span = tracer.startRequest({ headers, requestId, method, route: url, startMs });
    }
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

/** Writes the log line, the metrics and the spans of one request, once; `onResponse` never comes for a client that left. */
export function recordRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RecordDeps,
  status: number = reply.statusCode,
): void {
  const { facts } = request;
  if (facts === null || facts.isRecorded) return;
  facts.isRecorded = true;
  const endMs = performance.now();
  if (request.routeOptions.config.embeds === true) countRequest(facts, deps, status, endMs);
  logRequest(request, reply, deps, status, endMs);
  if (facts.span === undefined) return;
  const stages = stagesOf(facts.timeline, endMs);
  facts.span.end({ ...facts, endMs, status, caller: request.caller.name, stages });
}

function countRequest(facts: RequestFacts, { metrics }: RecordDeps, status: number, endMs: number): void {
  const { model, code, timeline } = facts;
  metrics.requests.inc({ model, status: String(status) });
  if (code !== undefined) metrics.requestErrors.inc({ model, code });
  if (timeline.readAtMs !== undefined) metrics.requestSeconds.observe({ model }, (endMs - timeline.readAtMs) / 1000);
}

function logRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  { config: { slowRequest = Infinity }, logger }: RecordDeps,
  status: number,
  endMs: number,
): void {
  const { config, url } = request.routeOptions;
  const facts = request.facts!; // looked at by the caller
  const ms = reply.elapsedTime;
  const isSlow = config.embeds === true && ms / 1000 >= slowRequest;
  const level = status >= 500 ? 'error' : isSlow ? 'warn' : config.isQuiet === true ? 'debug' : 'info';
  if (!logger.isLevelEnabled(level)) return;
  const line: Record<string, unknown> = {
    requestId: request.id,
    method: request.method,
    route: url ?? 'unknown',
    status,
    ms: toHundredths(ms),
  };
  if (request.caller !== anyone) line['caller'] = request.caller.name;
  if (facts.span !== undefined) line['traceId'] = facts.span.traceId;
  if (config.embeds === true) addWork(line, facts, endMs);
  if (isSlow) line['slow'] = true;
  if (isSlow && facts.timeline.neighbours !== undefined) line['neighbours'] = [...facts.timeline.neighbours];
  if (facts.code !== undefined) line['code'] = facts.code;
  // Only faults of the server: the message of a client's error may quote what the client sent.
  if (facts.error !== undefined && status >= 500) line['err'] = facts.error;
  logger[level](line, 'request');
}

/** What was asked for, and the milliseconds of each stage: together they are `ms`. */
function addWork(line: Record<string, unknown>, facts: RequestFacts, endMs: number): void {
  const { model, inputs, tokens, cuts, timeline } = facts;
  Object.assign(line, { model, inputs, tokens });
  for (const stage of stagesOf(timeline, endMs)) line[`${stage.name}Ms`] = toHundredths(stage.endMs - stage.startMs);
  if (timeline.batches > 0) line['batches'] = timeline.batches;
  if (timeline.cached > 0) line['cached'] = timeline.cached;
  if (timeline.deduplicated > 0) line['deduplicated'] = timeline.deduplicated;
  if (cuts > 0) line['cut'] = cuts;
}

function toHundredths(ms: number): number {
  return Math.round(ms * 100) / 100;
}

function newFacts(startMs: number): RequestFacts {
  return {
    model: 'unknown',
    inputs: 0,
    tokens: 0,
    cuts: 0,
    timeline: startTimeline(startMs),
    span: undefined,
    error: undefined,
    code: undefined,
    isRecorded: false,
  };
}
