import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Told of each connection that was closed because there are too many. */
  readonly onDropped: () => void;
}

const requestsPerConnection = 64; // under way at once; no common client pipelines at all
const headersSeconds = 30;
const maxHeaders = 256;

/** Bounds what connections may cost, however many requests come over one of them and however slowly. */
export function limitConnections(app: FastifyInstance, { maxConnections, onDropped }: ConnectionLimits): void {
  const { server } = app;
  server.maxConnections = maxConnections;
  server.maxHeadersCount = maxHeaders;
  server.headersTimeout = headersSeconds * 1000;
  server.on('drop', onDropped);
  const underWay = new WeakMap<Socket, Set<ServerResponse>>();
  server.prependListener('request', ({ socket }, response) => {
    let responses = underWay.get(socket);
    if (responses === undefined) {
      const all = (responses = new Set());
      underWay.set(socket, all);
      // Node closes only the response whose turn it is: those that wait behind it would be worked on to their end.
      socket.once('close', () => setImmediate(() => all.forEach((one) => one.emit('close'))));
    }
    responses.add(response);
    response.once('close', () => responses.delete(response));
    if (responses.size > requestsPerConnection) socket.destroy();
  });
  app.addHook('onRequest', (request, reply, done) => {
    // The rest of what had been read of the connection when it was cut.
    if (request.raw.socket.destroyed) reply.hijack();
    else done();
  });
}
