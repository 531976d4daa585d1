import type { FastifyInstance } from 'fastify';
import type { Quota } from '../limits/quota.ts';
import type { HttpDeps } from './http-deps.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request takes of its caller's limits; undefined where no limit is in force. */
    quota: Quota | undefined;
  }
}

/** Counts embedding requests against the limits of their callers, and says with every answer what is left. */
export function registerRateLimits(api: FastifyInstance, { limits }: Pick<HttpDeps, 'limits'>): void {
  api.decorateRequest('quota', undefined);
  if (limits === undefined) return;
  api.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.embeds !== true) return;
    request.quota = await limits.begin(request.caller, request.ip);
    await request.quota?.takeRequest();
  });
  api.addHook('onSend', (request, reply, _payload, done) => {
    if (request.quota !== undefined) void reply.headers(request.quota.headers());
    done();
  });
}
