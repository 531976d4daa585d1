import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { afterAll, expect, test } from 'vitest';
import { followCertificate } from '../../src/access/follow-certificate.ts';
import { readCertificate } from '../../src/access/certificate.ts';
import { listenOn } from '../../src/http/listen-on.ts';
import { changeCertificate } from '../../src/http/tls.ts';
import { realFiles } from '../../src/util/followed-files.ts';
import { startFake } from './fakes.ts';

const folder = mkdtempSync(join(tmpdir(), 'embeddings-tls-'));
const apps: FastifyInstance[] = [];
afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
  rmSync(folder, { recursive: true });
});

/** A self-signed certificate and its key in files of these names. */
function makeCertificate(name: string) {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const argv = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];
  execFileSync('openssl', [...argv, '-subj', `/CN=${name}`, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { cert, key };
}

const [one, two] = [makeCertificate('one'), makeCertificate('two')];
const read = (path: string) => realFiles.read(path);
const local = { host: '127.0.0.1', port: 0, socket: undefined, tlsCert: 'x' };

async function serve(certificate: ReturnType<typeof readCertificate>) {
  const { app } = await startFake({ certificate });
  apps.push(app);
  const url = await listenOn(app, local);
  return { app, url, port: (app.server.address() as AddressInfo).port };
}

async function getStatus(port: number, options: RequestOptions = {}): Promise<number | undefined> {
  const sent = request({
    host: '127.0.0.1',
    port,
    path: '/livez',
    rejectUnauthorized: false,
    agent: false,
    ...options,
  });
  const [response] = (await once(sent.end(), 'response')) as [{ statusCode?: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

async function subjectAt(port: number): Promise<string> {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

test('with a certificate it speaks https, TLS 1.2 or newer, and no plain http', async () => {
  const { url, port } = await serve(readCertificate(one, { read }));
  expect(url).toBe(`https://127.0.0.1:${port}`);
  expect(await getStatus(port)).toBe(200);
  expect(await getStatus(port, { maxVersion: 'TLSv1.2' })).toBe(200);
  await expect(
    getStatus(port, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
  ).rejects.toThrow();
  await expect(once(plainRequest({ host: '127.0.0.1', port }).end(), 'response')).rejects.toThrow();
});

test('with authorities of clients only those with a certificate of theirs get through', async () => {
  const { port } = await serve(readCertificate({ ...one, clientCa: two.cert }, { read }));
  expect(await getStatus(port, { cert: read(two.cert), key: read(two.key) })).toBe(200);
  await expect(getStatus(port)).rejects.toThrow();
  await expect(getStatus(port, { cert: read(one.cert), key: read(one.key) })).rejects.toThrow();
});

test('renewed files are shown to new connections; files that do not fit are logged and change nothing', async () => {
  const paths = { cert: join(folder, 'live.crt'), key: join(folder, 'live.key') };
  const put = (from: { cert: string; key: string }, ...parts: readonly ('cert' | 'key')[]) => {
    for (const part of parts) writeFileSync(paths[part], read(from[part]));
  };
  put(one, 'cert', 'key');
  const lines: string[] = [];
  const note = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const server: { app?: FastifyInstance } = {};
  const onChange = (changed: ReturnType<typeof readCertificate>) =>
    server.app && changeCertificate(server.app, changed);
  const followed = followCertificate({ paths, onChange, log: { info: note, warn: note, error: note } });
  const served = await serve(followed.current);
  server.app = served.app;
  expect(await subjectAt(served.port)).toBe('one');
  put(two, 'cert');
  await expect.poll(() => lines.join('\n')).toContain('certificate is bad, the last good one stays');
  expect(await subjectAt(served.port)).toBe('one');
  put(two, 'key');
  await expect.poll(() => subjectAt(served.port), { timeout: 5000 }).toBe('two');
  followed.close();
  expect(lines.join('\n')).not.toContain('PRIVATE');
});

test.each([
  ['no file', { cert: '/no/such', key: one.key }, 'EMBEDDINGS_TLS_CERT: expected a readable file at /no/such'],
  ['the key as the certificate', { cert: one.key, key: one.key }, 'EMBEDDINGS_TLS_CERT: expected "-----BEGIN CERT'],
  [
    'the certificate as the key',
    { cert: one.cert, key: one.cert },
    'EMBEDDINGS_TLS_KEY: expected a private key in PEM',
  ],
  ['the key of another', { cert: one.cert, key: two.key }, 'EMBEDDINGS_TLS_KEY: expected the private key of the first'],
  ['keys as authorities', { ...one, clientCa: two.key }, 'EMBEDDINGS_TLS_CLIENT_CA: expected "-----BEGIN CERT'],
])('%s is an error that names the setting', (_, paths, message) => {
  expect(() => readCertificate(paths, { read })).toThrow(message);
});

const onSocket = (socket: string) => ({ ...local, tlsCert: undefined, socket });

async function getOver(socketPath: string): Promise<number | undefined> {
  const [response] = (await once(plainRequest({ socketPath, path: '/livez', agent: false }).end(), 'response')) as [
    { statusCode?: number; resume(): void },
  ];
  response.resume();
  return response.statusCode;
}

test('a unix socket is for owner and group, is in use while somebody listens, and goes at the stop', async () => {
  const path = join(folder, 'api.sock');
  const { app } = await startFake();
  expect(await listenOn(app, onSocket(path))).toBe(`unix:${path}`);
  expect(statSync(path).mode & 0o777).toBe(0o660);
  expect(await getOver(path)).toBe(200);
  const { app: second } = await startFake();
  await expect(listenOn(second, onSocket(path))).rejects.toThrow(`a process listens on the socket ${path}`);
  expect(await getOver(path)).toBe(200);
  await app.close();
  expect(existsSync(path)).toBe(false);
});

test('the socket of a killed process is replaced; another file is left alone', async () => {
  const path = join(folder, 'stale.sock');
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', script]), 'exit');
  expect(existsSync(path)).toBe(true);
  const { app } = await startFake();
  apps.push(app);
  await listenOn(app, onSocket(path));
  expect(await getOver(path)).toBe(200);
  await expect(listenOn((await startFake()).app, onSocket(one.cert))).rejects.toThrow('got another file');
  expect(existsSync(one.cert)).toBe(true);
  await expect(listenOn((await startFake()).app, onSocket(`/${'a'.repeat(200)}`))).rejects.toThrow('at most 107 bytes');
});

const healthcheck = join(import.meta.dirname, '../../deploy/healthcheck.mjs');

async function healthOf(env: Readonly<Record<string, string>>): Promise<number> {
  const [code] = (await once(spawn(process.execPath, [healthcheck], { env }), 'exit')) as [number];
  return code;
}

test('the health check of the image works over http, https and a socket, and with a key or a certificate asked for', async () => {
  const { app } = await startFake({ settings: { apiKeys: 'sk-one', publicRoutes: 'none' } });
  apps.push(app);
  const path = join(folder, 'health.sock');
  await listenOn(app, onSocket(path));
  const secure = await serve(readCertificate(one, { read }));
  const mutual = await serve(readCertificate({ ...one, clientCa: two.cert }, { read }));
  const { app: plain } = await startFake();
  apps.push(plain);
  await listenOn(plain, { ...local, tlsCert: undefined });
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const dead = String((free.address() as AddressInfo).port);
  free.close();
  const tls = { EMBEDDINGS_TLS_CERT: 'x' };
  expect(
    await Promise.all([
      healthOf({ EMBEDDINGS_PORT: String((plain.server.address() as AddressInfo).port) }),
      healthOf({ EMBEDDINGS_SOCKET: path }),
      healthOf({ ...tls, EMBEDDINGS_PORT: String(secure.port) }),
      healthOf({ ...tls, EMBEDDINGS_TLS_CLIENT_CA: 'x', EMBEDDINGS_PORT: String(mutual.port) }),
      healthOf({ EMBEDDINGS_PORT: dead }),
    ]),
  ).toEqual([0, 0, 0, 0, 1]);
});
