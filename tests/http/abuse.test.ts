import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import type { Embed } from '../../src/embed.ts';
import { fakeEmbed, fakeModel, startFake, type FakeServer } from './fakes.ts';

const servers: FakeServer[] = [];
afterAll(() => Promise.all(servers.map(({ app }) => app.close())));

async function start(options: Parameters<typeof startFake>[0] = {}): Promise<{ server: FakeServer; port: number }> {
  const server = await startFake(options);
  servers.push(server);
  await server.app.listen({ port: 0, host: '127.0.0.1' });
  return { server, port: (server.app.server.address() as AddressInfo).port };
}

const shared = await start({ settings: { maxBodyBytes: '100000', maxBodiesBytes: '150000' } });
const head = (lines: readonly string[]): string =>
  ['POST /v1/embeddings HTTP/1.1', 'host: x', 'content-type: application/json', ...lines, '', ''].join('\r\n');
const megabyte = Buffer.alloc(1 << 20, 'x');

test('a body declared larger than the limit is 413 before any of it is sent, and the connection ends', async () => {
  const client = open(shared.port);
  client.socket.write(head(['content-length: 99999999999']));
  expect(await client.ended).toMatch(/^HTTP\/1\.1 413 .*connection: close.*"code":"body_too_large"/is);
});

test('a chunked body is cut at the limit, however much is sent', async () => {
  const client = open(shared.port);
  client.socket.write(head(['transfer-encoding: chunked']));
  client.socket.write(`20000\r\n${'x'.repeat(0x2_0000)}\r\n`);
  expect(await client.ended).toMatch(/^HTTP\/1\.1 413 /);
  const endless = open(shared.port);
  endless.socket.write(head(['transfer-encoding: chunked']));
  void flood(endless.socket, (socket) => socket.write(`100000\r\n${megabyte.toString('latin1')}\r\n`));
  await endless.ended; // it may be cut before it sees the answer
  await expect.poll(heldBytes).toBe(0);
});

test('a compressed body is 415 before any of it is read: there is nothing to bomb', async () => {
  const client = open(shared.port);
  client.socket.write(head(['content-encoding: gzip', 'content-length: 90000']));
  expect(await client.ended).toMatch(/^HTTP\/1\.1 415 .*Content-Encoding gzip/s);
});

test('a body to a path that is none is not read either', async () => {
  const client = open(shared.port);
  client.socket.write(head(['content-length: 90000']).replace('/v1/embeddings', '/nowhere'));
  expect(await client.ended).toMatch(/^HTTP\/1\.1 404 .*connection: close/is);
});

test('a refused key ends the connection of who has a large body to send', async () => {
  const { port } = await start({ settings: { apiKeys: 'k' } });
  const client = open(port);
  client.socket.write(head(['content-length: 90000']));
  expect(await client.ended).toMatch(/^HTTP\/1\.1 401 .*connection: close/is);
});

test('JSON that nests deep is refused without being parsed', async () => {
  const client = open(shared.port);
  client.socket.write(head(['content-length: 90000']) + '['.repeat(90_000));
  expect(await client.ended).toMatch(/^HTTP\/1\.1 400 .*nests deeper/s);
});

test('a thousand headers are no error and no cost; more than 16 KB of them are 431', async () => {
  const few = open(shared.port);
  few.socket.write(`GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${'a:b\r\n'.repeat(1000)}\r\n`);
  expect(await few.ended).toMatch(/^HTTP\/1\.1 200 /);
  const many = open(shared.port);
  void flood(many.socket, (socket) => socket.write('a:b\r\n'.repeat(1000)), 'GET /health HTTP/1.1\r\n');
  expect(await many.ended).toMatch(/^HTTP\/1\.1 431 /);
});

test('bodies in progress have one sum: who would go over it is told to come back', async () => {
  const waiting = open(shared.port);
  waiting.socket.write(head(['content-length: 90001']) + 'x'.repeat(90_000));
  await expect.poll(heldBytes).toBe(90_000);
  const second = open(shared.port);
  second.socket.write(head(['content-length: 90001']) + 'x'.repeat(90_000));
  expect(await second.ended).toMatch(/^HTTP\/1\.1 503 .*retry-after: 1.*"code":"server_busy"/is);
  const small = open(shared.port);
  small.socket.write(request(['connection: close']));
  expect(await small.ended).toMatch(/^HTTP\/1\.1 200 /);
  waiting.socket.destroy();
  await expect.poll(heldBytes).toBe(0);
});

test('clients that never send the body they declare hold nothing, and nobody up', async () => {
  const clients = Array.from({ length: 50 }, () => open(shared.port));
  for (const { socket } of clients) socket.write(head(['content-length: 99999']) + '{');
  await expect.poll(heldBytes).toBe(50);
  const honest = open(shared.port);
  honest.socket.write(request(['connection: close']));
  expect(await honest.ended).toMatch(/^HTTP\/1\.1 200 /);
  for (const { socket } of clients) socket.destroy();
  await expect.poll(heldBytes).toBe(0);
});

test('fifty clients that each send megabytes at once cost no more memory than the sum allows', async () => {
  const { port } = await start({ settings: { maxBodyBytes: '16000000', maxBodiesBytes: '16000000' } });
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers - before)), 5);
  const clients = Array.from({ length: 50 }, () => open(port));
  const floods = clients.map(({ socket }) =>
    flood(socket, () => socket.write(megabyte), head(['content-length: 15999999'])),
  );
  const answers = await Promise.all(clients.map(({ ended }) => ended));
  clearInterval(watch);
  await Promise.all(floods);
  expect(answers.some((answer) => answer.startsWith('HTTP/1.1 503 '))).toBe(true);
  expect(most).toBeLessThan(120e6); // two copies of the sum while one is joined, the sockets' buffers of both ends, garbage
});

test('headers and bodies that trickle have times that end', () => {
  const { headersTimeout, requestTimeout } = shared.server.app.server;
  expect([headersTimeout, requestTimeout]).toEqual([30_000, 120_000]);
});

test('a connection that pipelines without end is cut', async () => {
  let most = 0;
  let running = 0;
  const never: Embed = (_, signal) =>
    new Promise((_resolve, reject) => {
      most = Math.max(most, ++running);
      signal?.addEventListener('abort', () => {
        running--;
        reject(signal.reason as Error);
      });
    });
  const { port, server } = await start({ embed: never });
  const client = open(port);
  void flood(client.socket, (socket) => socket.write(request([]).repeat(100)));
  await client.ended;
  expect(most).toBeLessThanOrEqual(64);
  await expect.poll(() => running).toBe(0);
  expect((await server.app.inject('/health')).statusCode).toBe(200);
});

test('ten pipelined requests are answered in turn', async () => {
  const client = open(shared.port);
  client.socket.write(request([]).repeat(9) + request(['connection: close']));
  expect((await client.ended).match(/HTTP\/1\.1 200 /g)).toHaveLength(10);
});

test('connections over their number are closed and counted; the others are served', async () => {
  const { port, server } = await start({ embed: fakeEmbed, settings: { maxConnections: '3' } });
  const kept = Array.from({ length: 3 }, () => open(port));
  await Promise.all(kept.map(({ socket }) => once(socket, 'connect')));
  await sleep(50); // accepted, in this order
  const dropped = open(port);
  expect(await dropped.ended).toBe('');
  kept[0]?.socket.write(request(['connection: close']));
  expect(await kept[0]?.ended).toMatch(/^HTTP\/1\.1 200 /);
  const metrics = await server.deps.metrics.registry.metrics();
  expect(metrics).toContain('embeddings_dropped_connections_total 1');
  for (const { socket } of kept) socket.destroy();
});

async function heldBytes(): Promise<number> {
  const metrics = await shared.server.deps.metrics.registry.metrics();
  return Number(/^embeddings_body_bytes (\d+)$/m.exec(metrics)?.[1]);
}

function request(headers: readonly string[]): string {
  const body = JSON.stringify({ model: fakeModel, input: 'a' });
  return head([`content-length: ${body.length}`, ...headers]) + body;
}

function open(port: number): { readonly socket: Socket; readonly ended: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.on('error', () => {}); // a server that cuts a flood resets the connection
  const ended = new Promise<string>((resolve) => {
    socket.on('close', () => resolve(Buffer.concat(parts).toString()));
  });
  return { socket, ended };
}

/** Sends without end, as fast as the other side takes it, until the connection is gone. */
async function flood(socket: Socket, send: (socket: Socket) => boolean, first = ''): Promise<void> {
  await once(socket, 'connect').catch(() => {});
  if (first !== '') socket.write(first);
  while (!socket.destroyed && socket.writable) {
    if (!send(socket)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {});
    await sleep(1);
  }
}
