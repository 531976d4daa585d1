import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { HttpDeps } from './http-deps.ts';
import { metricsSchema } from './schemas.ts';

/** `GET /metrics` in the text format of Prometheus. */
export function registerMetrics(app: FastifyInstance, { metrics, health }: Pick<HttpDeps, 'metrics' | 'health'>): void {
  countConnections(app, metrics.connections);
  app.get('/metrics', { schema: metricsSchema, config: { isQuiet: true } }, async (_, reply) => {
    const { live, ready } = health();
    metrics.ready.set(live && ready ? 1 : 0);
    for (const measure of metrics.beforeScrape) measure();
    return reply.header('content-type', metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}

/** Of every listener: `localhost` alone has two, and Fastify tells of one. */
function countConnections(app: FastifyInstance, gauge: HttpDeps['metrics']['connections']): void {
  const onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket }; // what Node documents for this channel
    gauge.inc();
    socket.once('close', () => gauge.dec());
  };
  subscribe('net.server.socket', onSocket);
  app.addHook('onClose', (_, done) => {
    unsubscribe('net.server.socket', onSocket);
    done();
  });
}
