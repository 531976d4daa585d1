import type { ServerOptions } from 'node:http';
import { Server as TlsServer } from 'node:tls';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import type { Certificate } from '../access/certificate.ts';

const handshakeTimeout = 10_000; // a client that says nothing holds its socket no longer
const minVersion = 'TLSv1.2';

/** The options of a server that speaks https where there is a certificate; `node` is for Node's own server. */
export function withCertificate(
  certificate: Certificate | undefined,
  node: ServerOptions,
  options: FastifyServerOptions,
): FastifyServerOptions {
  if (certificate === undefined) return Object.assign(options, { http: node });
  const asks = certificate.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
  const https = { ...node, ...certificate, ...asks, minVersion, handshakeTimeout };
  // Fastify types the two kinds of server apart; nothing here tells them apart but `changeCertificate`.
  return Object.assign(options, { https });
}

/** New connections get this certificate; those that are open keep theirs. */
export function changeCertificate({ server }: FastifyInstance, certificate: Certificate): void {
  if (server instanceof TlsServer) server.setSecureContext({ ...certificate, minVersion });
}
