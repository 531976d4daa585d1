import { startServer } from '../server.ts';
import type { RunningServer, ServerOptions } from '../server.ts';
import type { PeerServer } from './peer.ts';

/** Starts a server of this machine as a peer. */
export async function startPeer(options: ServerOptions): Promise<PeerServer> {
  return toPeerServer(await startServer(options));
}

export function toPeerServer(server: RunningServer): PeerServer {
  const { url, pid, firstAnswerSeconds } = server;
  return { url, process: { pid, firstAnswerSeconds }, close: () => server.close() };
}
