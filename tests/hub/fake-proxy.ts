import { createServer, request as forward } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { onTestFinished } from 'vitest';

export interface FakeProxy {
  /** With user and password. */
  readonly url: string;
  /** `host:port` of everything that went through. */
  readonly targets: ReadonlySet<string>;
  /** Those of them that were reached through CONNECT. */
  readonly tunnels: ReadonlySet<string>;
}

export interface FakeProxyOptions {
  readonly user?: string;
  readonly password?: string;
  /** Refuses everything so. */
  readonly status?: number;
}

/** A proxy on loopback that tunnels and forwards; it stops when the test ends. */
export async function startFakeProxy({ user, password, status }: FakeProxyOptions = {}): Promise<FakeProxy> {
  const targets = new Set<string>();
  const tunnels = new Set<string>();
  const wanted = user === undefined ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const refusal = (authorization: string | undefined): number | undefined =>
    wanted !== undefined && authorization !== wanted ? 407 : status;

  const server = createServer((incoming, response) => {
    const refused = refusal(incoming.headers['proxy-authorization']);
    if (refused !== undefined) return void response.writeHead(refused).end();
    const url = new URL(incoming.url ?? '');
    targets.add(url.host);
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    forward(url, { method: incoming.method ?? 'GET', headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    }).end();
  });
  const sockets = new Set<{ destroy: () => void }>();
  server.on('connect', (incoming, socket) => {
    sockets.add(socket);
    const refused = refusal(incoming.headers['proxy-authorization']);
    if (refused !== undefined) return void socket.end(`HTTP/1.1 ${refused} Refused\r\n\r\n`);
    const [host = '', port = ''] = (incoming.url ?? '').split(':');
    targets.add(`${host}:${port}`);
    tunnels.add(`${host}:${port}`);
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream]) end.on('error', () => void [socket, upstream].map((each) => each.destroy()));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  const credentials = user === undefined ? '' : `${user}:${password}@`;
  return { url: `http://${credentials}127.0.0.1:${(server.address() as AddressInfo).port}`, targets, tunnels };
}
