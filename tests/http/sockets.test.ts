import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { request } from 'node:http';
import { afterAll, expect, test } from 'vitest';
import type { Embed } from '../../src/embed.ts';
import { fakeEmbed, fakeModel, startFake } from './fakes.ts';

const body = JSON.stringify({ model: fakeModel, input: 'a' });
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };

test('a client that leaves aborts the signal of embed, once, and is logged and counted as 499', async () => {
  const started = new EventEmitter();
  const embed: Embed = (_, signal) =>
    new Promise((_resolve, reject) => {
      if (signal === undefined) return reject(new Error('no signal'));
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      started.emit('signal', signal);
    });
  const server = await startFake({ embed });
  const port = await listen(server.app);
  const client = request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/embeddings', headers });
  client.on('error', () => {});
  client.end(body);
  const [signal] = (await once(started, 'signal')) as [AbortSignal];
  expect(signal.aborted).toBe(false);
  const aborted = once(signal, 'abort');
  client.destroy();
  await aborted;
  await expect.poll(() => server.logLines).toHaveLength(1);
  expect(server.logLines[0]).toMatchObject({ status: 499, code: 'client_closed_request', model: fakeModel });
  const metrics = await server.deps.metrics.registry.metrics();
  expect(metrics).toContain('embeddings_requests_total{model="acme/tiny",status="499"} 1');
  expect(metrics).toContain('embeddings_requests_in_flight 0');
  await server.app.close();
});

test('an answered request never aborts its signal', async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const server = await startFake({
    embed: (wanted, signal) => {
      signals.push(signal);
      return fakeEmbed(wanted);
    },
  });
  const port = await listen(server.app);
  const response = await fetch(`http://127.0.0.1:${port}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body,
  });
  expect(response.status).toBe(200);
  await response.arrayBuffer();
  await server.app.close(); // every connection is gone now
  expect(signals).toHaveLength(1);
  expect(signals[0]?.aborted).toBe(false);
});

const shared = await startFake();
const sharedPort = await listen(shared.app);
afterAll(() => shared.app.close());

test.each([
  ['headers over 16 KB', `GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ['noise', 'hello\r\n\r\n', 400, 'invalid_http'],
  ['an unknown method', 'FOO / HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'invalid_http'],
  ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 400, 'invalid_http'],
])('%s is answered in the shape of OpenAI', async (_, sent, status, code) => {
  const answer = await exchange(sharedPort, sent);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer.toLowerCase()).toContain('x-request-id: req_');
  expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toEqual({
    error: { message: expect.any(String), type: 'invalid_request_error', param: null, code },
  });
});

test('a request that does not arrive in time is 408', async () => {
  const socket = connect(sharedPort, '127.0.0.1');
  const [, [serverSide]] = (await Promise.all([once(socket, 'connect'), once(shared.app.server, 'connection')])) as [
    unknown,
    [unknown],
  ];
  // What Node does when the time is up, without waiting for it.
  shared.app.server.emit('clientError', Object.assign(new Error(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), serverSide);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  expect(chunk.toString()).toMatch(/^HTTP\/1.1 408 .*"code":"request_timeout"/s);
  socket.destroy();
});

test('a body that arrives in pieces is one request', async () => {
  const head = `POST /v1/embeddings HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n`;
  const half = body.length >> 1;
  const chunks = [body.slice(0, half), body.slice(half), ''].map(
    (part) => `${part.length.toString(16)}\r\n${part}\r\n`,
  );
  const answer = await exchange(sharedPort, `${head}transfer-encoding: chunked\r\n\r\n${chunks.join('')}`);
  expect(answer).toMatch(/^HTTP\/1.1 200 .*"prompt_tokens":1/s);
});

async function listen(app: (typeof shared)['app']): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' });
  return (app.server.address() as AddressInfo).port;
}

async function exchange(port: number, sent: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.on('error', () => {});
  socket.write(sent);
  await once(socket, 'close');
  return Buffer.concat(parts).toString();
}
