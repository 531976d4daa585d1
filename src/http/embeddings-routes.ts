import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { mayUse } from '../access/may-use.ts';
import { modelNotFound, ServiceError } from '../errors.ts';
import { parseEmbedRequest } from '../request/parse-embed-request.ts';
import { writeEmbedResponse } from './embed-response.ts';
import type { HttpDeps } from './http-deps.ts';
import { azureSchema, embeddingsSchema } from './schemas.ts';
import { mark } from '../tracing/timeline.ts';
import { sourceHeader } from './source-header.ts';
import { recordRequest } from './timing.ts';
import { truncationHeaders } from './truncation-headers.ts';

/** `POST /v1/embeddings` and the other paths clients know it by. */
export function registerEmbeddings(app: FastifyInstance, deps: HttpDeps): void {
  const config = { embeds: true };
  for (const url of ['/v1/embeddings', '/embeddings', '/openai/v1/embeddings']) {
    app.post(url, { schema: embeddingsSchema(url), config }, (request, reply) => {
      return answer(deps, request, reply, request.body);
    });
  }
  // The model's id has a slash, raw or encoded, so the path cannot be cut by the router.
  app.post<{ Params: { '*': string } }>(
    '/openai/deployments/*',
    { schema: azureSchema, config: { ...config, documentedAs: '/openai/deployments/{model}/embeddings' } },
    (request, reply) => {
      const model = /^(.+)\/embeddings\/?$/.exec(request.params['*'])?.[1];
      if (model === undefined) return reply.callNotFound();
      return answer(deps, request, reply, withModel(request.body, model));
    },
  );
}

async function answer(deps: HttpDeps, request: FastifyRequest, reply: FastifyReply, body: unknown): Promise<void> {
  const { config, embed, metrics } = deps;
  const { facts } = request;
  if (facts === null) throw new Error('The timing hook has not run. This is a bug.');
  mark(facts.timeline, 'readAtMs');
  facts.model = knownModel(body, deps);
  metrics.requestsInFlight.inc();
  const abort = new AbortController();
  const onClose = (): void => abort.abort();
  reply.raw.once('close', onClose);
  try {
    if (request.refusal !== undefined) throw request.refusal;
    const { request: wanted, encodingFormat } = parseEmbedRequest(body, config);
    if (!mayUse(request.caller, wanted.model)) throw modelNotFound(wanted.model);
    facts.inputs = wanted.items.length;
    const { timeline, span } = facts;
    const { quota } = request;
    const result = await embed(wanted, abort.signal, {
      requestId: request.id,
      caller: request.caller.name,
      deadlineMs: request.deadlineMs,
      admit: quota && ((tokens, model) => quota.takeTokens(tokens, model)),
      timeline,
      span,
    });
    facts.tokens = result.promptTokens;
    facts.cuts = result.cuts.length;
    const encodeStartMs = performance.now();
    const response = await writeEmbedResponse({ model: wanted.model, encodingFormat, result });
    metrics.encodeSeconds.observe({ model: facts.model }, (performance.now() - encodeStartMs) / 1000);
    mark(timeline, 'encodedAtMs');
    void reply.headers(sourceHeader(result.source));
    if (result.cuts.length > 0) void reply.headers(truncationHeaders(result.cuts));
    void reply.header('content-type', 'application/json').send(response);
  } catch (error) {
    if (request.quota !== undefined && !isFaultOfClient(error)) await request.quota.giveBackTokens();
    if (!abort.signal.aborted) throw error;
    throw new ServiceError('client_closed_request', {}, { cause: error });
  } finally {
    reply.raw.removeListener('close', onClose);
    metrics.requestsInFlight.dec();
    if (abort.signal.aborted) {
      facts.error ??= new ServiceError('client_closed_request');
      facts.code ??= 'client_closed_request';
      recordRequest(request, reply, deps, 499);
    }
  }
}

/** Whoever leaves before the answer has had the work done for it, or most of it. */
function isFaultOfClient(error: unknown): boolean {
  return !(error instanceof ServiceError) || error.status < 429;
}

/** The path decides; a body that is no object is left to the parser. */
function withModel(body: unknown, model: string): unknown {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body, model } : body;
}

function knownModel(body: unknown, { catalog }: HttpDeps): string {
  const model = typeof body === 'object' && body !== null && 'model' in body ? body.model : undefined;
  return typeof model === 'string' && catalog.get(model) !== undefined ? model : 'unknown';
}
