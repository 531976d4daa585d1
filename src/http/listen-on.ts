import { once } from 'node:events';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';

const socketMode = 0o660; // owner and group may connect

/** Starts to listen where the settings say, and gives the address: `unix:/path` for a socket. */
export async function listenOn(
  app: FastifyInstance,
  { socket, host, port, tlsCert }: Pick<Config, 'socket' | 'host' | 'port' | 'tlsCert'>,
): Promise<string> {
  if (socket === undefined) {
    // Fastify gives localhost a server for each of its addresses and shows only one, which would get new certificates.
    return app.listen({ host: tlsCert !== undefined && host === 'localhost' ? '127.0.0.1' : host, port });
  }
  await removeStaleSocket(socket);
  await app.listen({ path: socket });
  chmodSync(socket, socketMode);
  return `unix:${socket}`;
}

const maxPathBytes = 107; // of an address in the kernel

/** A process that was killed leaves its socket behind, and nobody else could listen there. @throws Error where it is in use */
async function removeStaleSocket(path: string): Promise<void> {
  if (Buffer.byteLength(path) > maxPathBytes)
    throw new Error(`EMBEDDINGS_SOCKET: expected a path of at most ${maxPathBytes} bytes, got ${path}`);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket())
    throw new Error(`EMBEDDINGS_SOCKET: expected no file at ${path}, or a socket, got another file`);
  if (await isListening(path))
    throw new Error(
      `a process listens on the socket ${path}. Stop it, or choose another path with --socket or EMBEDDINGS_SOCKET.`,
    );
  unlinkSync(path);
}

/** @throws Error where nobody can say, such as for want of rights */
async function isListening(path: string): Promise<boolean> {
  const client = connect(path);
  try {
    await once(client, 'connect');
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return false;
    throw new Error(`EMBEDDINGS_SOCKET: expected a socket that this user may use at ${path}, got ${code}`, {
      cause: error,
    });
  } finally {
    client.destroy();
  }
}
