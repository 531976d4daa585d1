import type { FastifyInstance } from 'fastify';

/**
 * From the start of a stop, each response ends its connection. Node closes those that are idle then; one that is busy
 * would be kept alive after its answer, and hold up the stop until its time is over.
 */
export function registerCloseConnections(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing) reply.header('connection', 'close');
    done();
  });
}
