import type { FastifyInstance } from 'fastify';
import type { HttpDeps } from './http-deps.ts';
import { metricsSchema } from './schemas.ts';

/** `GET /metrics` in the text format of Prometheus. */
export function registerMetrics(app: FastifyInstance, { metrics }: Pick<HttpDeps, 'metrics'>): void {
  app.get('/metrics', { schema: metricsSchema, config: { isQuiet: true } }, async (_, reply) => {
    return reply.header('content-type', metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}
