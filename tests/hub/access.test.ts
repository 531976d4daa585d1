import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import type { DownloadOptions } from '../../src/store/hub/download-model.ts';
import type { HubOptions } from '../../src/store/hub/hub.ts';
import { createTokenReader } from '../../src/store/hub/token-reader.ts';
import { tempFolder } from '../graph/temp-folder.ts';
import type { FakeHub } from './fake-hub.ts';
import { startFakeProxy } from './fake-proxy.ts';
import {
  cacheFor,
  expectNothingCorrupt,
  failure,
  fastSystem,
  hubOf,
  impatient,
  modelId,
  smallModel,
  etagOf,
} from './hub-fixture.ts';

const token = 'hf_theSecretToken';

function reach(hub: FakeHub, changes: Partial<HubOptions> = {}): Partial<DownloadOptions> {
  return { hub: { endpoint: hub.endpoint, readToken: () => token, ...changes } };
}

test('the token goes to the hub and never to the host that large files come from', async () => {
  const hub = await hubOf();
  await cacheFor(hub).download(reach(hub));
  const sent = (host: 'hub' | 'cdn') =>
    new Set(hub.requests.filter((request) => request.host === host).map(({ headers }) => headers.authorization));
  expect(sent('hub')).toEqual(new Set([`Bearer ${token}`]));
  expect(sent('cdn')).toEqual(new Set([undefined]));
});

test('the token does not follow a redirect of the list to another host', async () => {
  const hub = await hubOf();
  const other = await hubOf();
  hub.addFault({ path: '/api/', fault: { redirectTo: `${other.endpoint}/api/models/${modelId}/revision/main` } });
  await cacheFor(hub).download(reach(hub));
  expect(other.requests).toHaveLength(1);
  expect(other.requests[0]?.headers.authorization).toBeUndefined();
});

test('requests say who asks, and nothing else about the machine', async () => {
  const hub = await hubOf();
  await cacheFor(hub).download();
  for (const { headers } of hub.requests) {
    expect(headers['user-agent']).toMatch(/^embeddings\/\d+\.\d+\.\d+$/);
    const known = new Set(['user-agent', 'accept-encoding', 'host', 'connection']);
    expect(Object.keys(headers).filter((name) => !known.has(name))).toEqual([]);
  }
});

test('a renamed repository is found by its old name, and kept under it', async () => {
  const hub = await hubOf({ renamed: { 'old/name': modelId } });
  const cache = cacheFor(hub);
  const model = await cache.download({}, fastSystem(), 'old/name');
  expect(model.folder).toContain('models--old--name');
});

test('a gated repository says where its terms are, and is read with the token of an account that accepted them', async () => {
  const hub = await hubOf({ repositories: [smallModel({ gatedFor: token })] });
  const error = await failure(cacheFor(hub).download());
  expect(error).toMatchObject({ kind: 'no_access', isTransient: false });
  expect(error.message).toBe(
    `${modelId} is gated: accept its terms at ${hub.endpoint}/${modelId} and set HF_TOKEN to a token of that account.`,
  );
  const denied = await failure(cacheFor(hub).download(reach(hub, { readToken: () => 'hf_another' })));
  expect(denied.message).toMatch(/is gated: .*\(the token in use has no access\)\.$/);
  await cacheFor(hub).download(reach(hub));
});

test('a repository that is not there, or private, says both', async () => {
  const hub = await hubOf({ repositories: [smallModel({ privateFor: token })] });
  const error = await failure(cacheFor(hub).download());
  expect(error).toMatchObject({ kind: 'not_found', isTransient: false });
  expect(error.message).toMatch(
    /^There is no repository org\/small-model at http:.*, or it is private: set HF_TOKEN\./,
  );
  const missing = await failure(cacheFor(hub).download(reach(hub), fastSystem(), 'org/nothing'));
  expect(missing.message).toMatch(
    /no repository org\/nothing .*private and the token in use has no access\. Check the spelling/,
  );
  await cacheFor(hub).download(reach(hub));
});

test('a revision that is not there is named', async () => {
  const hub = await hubOf();
  const error = await failure(cacheFor(hub).download({ revision: 'v9' }));
  expect(error).toMatchObject({ kind: 'not_found' });
  expect(error.message).toMatch(/has no revision v9\./);
});

test.each([
  [401, { 'x-error-message': 'Invalid credentials in Authorization header' }, 'no_access', /refused the token/],
  [403, { 'x-error-message': 'Access to this resource is disabled.' }, 'no_access', /is disabled by the hub/],
  [403, {}, 'no_access', /answered 403 .*access is denied/],
  [404, {}, 'not_found', /no repository/],
  [418, {}, 'bad_answer', /got status 418\. Check HF_ENDPOINT/],
] as const)('status %i with %j', async (status, headers, kind, message) => {
  const hub = await hubOf();
  hub.addFault({ path: '/api/', fault: { status, headers } });
  const error = await failure(cacheFor(hub).download(reach(hub)));
  expect(error).toMatchObject({ kind, isTransient: false });
  expect(error.message).toMatch(message);
});

test.each([
  [
    429,
    'rate_limited',
    /answered 429 and asks to wait 120 s: too many requests from this .*HF_TOKEN the limit is higher/,
  ],
  [503, 'unreachable', /is in trouble: it answered 503 and asks to wait 120 s\. Try again later\./],
] as const)('a hub that asks for a long wait with %i is not waited for', async (status, kind, message) => {
  for (const path of ['/api/', 'tokenizer.json', 'model.safetensors']) {
    const hub = await hubOf();
    hub.addFault({ path, fault: { status, headers: { 'retry-after': '120' } }, times: 9 });
    const system = fastSystem();
    const error = await failure(cacheFor(hub).download({}, system));
    expect(error).toMatchObject({ kind, retryAfterSeconds: 120, isTransient: true });
    expect(error.message).toMatch(message);
    expect(system.waits).toEqual([]);
  }
});

test('a hub that is not there is named, with what to do without a network', async () => {
  const hub = await hubOf();
  await hub.close();
  const error = await failure(cacheFor(hub).download());
  expect(error).toMatchObject({ kind: 'unreachable', isTransient: true });
  expect(error.message).toMatch(
    /^127\.0\.0\.1:\d+ could not be reached: the connection was refused.* HTTPS_PROXY and HF_ENDPOINT\. .*HF_HUB_OFFLINE=1 .*`embeddings import`/,
  );
});

test('everything goes through the proxy, with its password', async () => {
  const hub = await hubOf();
  const proxy = await startFakeProxy({ user: 'me', password: 'proxySecret' });
  const cache = cacheFor(hub);
  await cache.download(reach(hub, { httpProxy: proxy.url }));
  expectNothingCorrupt(cache.folder, smallModel());
  expect(proxy.targets).toEqual(new Set([new URL(hub.endpoint).host, new URL(hub.cdn).host]));
});

test('an http hub is asked for through the proxy in the form that every proxy understands, without a tunnel', async () => {
  const hub = await hubOf();
  const proxy = await startFakeProxy({ user: 'me', password: 'proxySecret' });
  await cacheFor(hub).download(reach(hub, { httpProxy: proxy.url }));
  expect(proxy.tunnels).toEqual(new Set());
  for (const { headers } of hub.requests) expect(headers).not.toHaveProperty('proxy-authorization');
});

test('an https hub is reached through a tunnel', async () => {
  const hub = await hubOf(); // which speaks no TLS
  const proxy = await startFakeProxy();
  const endpoint = hub.endpoint.replace('http:', 'https:');
  const error = await failure(cacheFor(hub).download(reach(hub, { endpoint, httpsProxy: proxy.url })));
  expect(error).toMatchObject({ kind: 'unreachable' });
  expect(proxy.tunnels).toEqual(new Set([new URL(hub.endpoint).host]));
});

test('silence behind a proxy is noticed as without one', async () => {
  const hub = await hubOf();
  hub.addFault({ host: 'cdn', fault: { hangAfterBytes: 1000 }, times: 2 });
  const proxy = await startFakeProxy();
  const cache = cacheFor(hub);
  await cache.download(reach(hub, { httpProxy: proxy.url }), fastSystem({ timeouts: impatient }));
  expectNothingCorrupt(cache.folder, smallModel());
});

test('hosts of NO_PROXY are reached without it', async () => {
  const hub = await hubOf();
  const proxy = await startFakeProxy();
  await cacheFor(hub).download(reach(hub, { httpProxy: proxy.url, directHosts: 'example.com,127.0.0.1' }));
  expect(proxy.targets).toEqual(new Set());
});

test('the proxy of the environment is not used behind the back of the settings', async () => {
  const hub = await hubOf();
  process.env['HTTP_PROXY'] = 'http://127.0.0.1:9';
  try {
    await cacheFor(hub).download();
  } finally {
    delete process.env['HTTP_PROXY'];
  }
});

test.each([
  ['http://127.0.0.1:9', /the connection was refused at 127\.0\.0\.1:9/],
  ['ftp://me:proxySecret@proxy', /^Expected HTTP_PROXY as http:\/\/host:port, got something else\.$/],
  ['http://me:proxySecret@', /^Expected HTTP_PROXY as http:\/\/host:port/],
])('a proxy that does not do: %s', async (httpProxy, message) => {
  const hub = await hubOf();
  const error = await failure(cacheFor(hub).download(reach(hub, { httpProxy })));
  expect(error).toMatchObject({ kind: 'unreachable' });
  expect(error.message).toMatch(message);
});

test('a proxy that wants a password says so, and one that refuses a host too', async () => {
  const hub = await hubOf();
  const wants = await startFakeProxy({ user: 'me', password: 'proxySecret' });
  const error = await failure(
    cacheFor(hub).download(reach(hub, { httpProxy: wants.url.replace('proxySecret', 'wrong') })),
  );
  expect(error).toMatchObject({ kind: 'unreachable', isTransient: false });
  expect(error.message).toMatch(/the proxy wants a user name and a password: HTTPS_PROXY=/);
  const refuses = await startFakeProxy({ status: 403 });
  const endpoint = hub.endpoint.replace('http:', 'https:');
  const refused = await failure(cacheFor(hub).download(reach(hub, { endpoint, httpsProxy: refuses.url })));
  expect(refused.message).toMatch(/the proxy answered 403: ask its administrator/);
  // Without a tunnel its answer looks like one of the hub.
  const denied = await failure(cacheFor(hub).download(reach(hub, { httpProxy: refuses.url })));
  expect(denied.message).toMatch(/answered 403 .* A proxy may also have answered\./);
});

test('no error holds the token, the password of the proxy or the signature of an address', async () => {
  const hub = await hubOf({ repositories: [smallModel({ gatedFor: 'hf_other' })] });
  const proxy = await startFakeProxy({ user: 'me', password: 'proxySecret' });
  const open = await hubOf();
  const etag = etagOf(smallModel(), 'model.safetensors');
  open.addFault({ host: 'cdn', path: etag, fault: { status: 403 }, times: 99 });
  const errors = [
    await failure(cacheFor(hub).download(reach(hub, { httpProxy: proxy.url }))),
    await failure(cacheFor(open).download(reach(open))),
    await failure(cacheFor(hub).download(reach(hub, { httpProxy: 'http://me:proxySecret@127.0.0.1:9' }))),
    await failure(cacheFor(hub).download(reach(hub, { readToken: () => `${token} and more` }))),
  ];
  for (const error of errors)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(
      /theSecretToken|proxySecret|do-not-tell|X-Signature/,
    );
});

test('the token is that of the setting, else that of the file, else none', () => {
  const folder = tempFolder();
  const hfTokenPath = join(folder, 'token');
  const read = createTokenReader({ hfToken: undefined, hfTokenPath });
  expect(read()).toBeUndefined();
  writeFileSync(hfTokenPath, '\n');
  expect(read()).toBeUndefined();
  writeFileSync(hfTokenPath, ' hf_file\n');
  expect(read()).toBe('hf_file');
  expect(createTokenReader({ hfToken: 'hf_env', hfTokenPath })()).toBe('hf_env');
  mkdirSync(join(folder, 'no-file'));
  expect(createTokenReader({ hfToken: ' ', hfTokenPath: join(folder, 'no-file') })()).toBeUndefined();
});
