import type { FastifyInstance } from 'fastify';
import type { HttpDeps } from './http-deps.ts';

/**
 * From the start of a stop on, also while new connections are still taken, each response ends its connection. Node
 * closes those that are idle at its end; one that is busy would be kept alive after its answer, and hold up the stop
 * until its time is over.
 */
export function registerCloseConnections(app: FastifyInstance, { isDraining }: Pick<HttpDeps, 'isDraining'>): void {
  let isClosing = false;
  app.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing || isDraining?.() === true) reply.header('connection', 'close');
    done();
  });
}
