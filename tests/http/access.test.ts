import { expect, test } from 'vitest';
import { hashApiKey } from '../../src/access/api-key.ts';
import { KeyRing } from '../../src/access/key-ring.ts';
import type { KeyRecord } from '../../src/access/key-record.ts';
import { fakeEmbed, fakeModel, postJson, startFake } from './fakes.ts';

const body = { model: fakeModel, input: 'a' };
const { app } = await startFake({ settings: { apiKeys: 'sk-one,sk-two' } });

test.each<Record<string, string>>([
  { authorization: 'Bearer sk-one' },
  { authorization: 'bearer sk-two' },
  { 'api-key': 'sk-two' },
  { authorization: 'Bearer wrong', 'api-key': 'sk-one' },
])('%j lets a request in', async (headers) => {
  expect((await postJson(app, body, headers)).statusCode).toBe(200);
});

test.each<Record<string, string>>([
  {},
  { authorization: 'Bearer wrong' },
  { authorization: 'sk-one' },
  { authorization: 'Basic sk-one' },
  { authorization: 'Bearer ' },
  { authorization: 'Bearer sk-one,sk-two' },
  { 'api-key': '' },
  { 'api-key': 'sk-on' },
])('%j is 401 in the shape of OpenAI and repeats no key', async (headers) => {
  const response = await postJson(app, body, headers);
  expect(response.statusCode).toBe(401);
  expect(response.headers['www-authenticate']).toBe('Bearer');
  expect(response.json()).toEqual({
    error: { message: expect.any(String), type: 'invalid_request_error', param: null, code: 'invalid_api_key' },
  });
  expect(response.body).not.toMatch(/sk-|wrong/);
});

test.each(['/embeddings', '/openai/v1/embeddings', '/openai/deployments/acme/tiny/embeddings'])(
  'POST %s asks for a key',
  async (url) => {
    expect((await postJson(app, body, {}, url)).statusCode).toBe(401);
    expect((await postJson(app, body, { 'api-key': 'sk-one' }, url)).statusCode).toBe(200);
  },
);

test('models and info ask for a key; health, docs and metrics stay open', async () => {
  for (const url of ['/v1/models', '/v1/models/acme/tiny', '/info'])
    expect((await app.inject(url)).statusCode).toBe(401);
  for (const url of ['/', '/livez', '/health', '/docs', '/redoc', '/openapi.json', '/metrics']) {
    expect((await app.inject(url)).statusCode).toBe(200);
  }
});

test('a large body without a key is refused before it is read', async () => {
  const response = await app.inject({
    method: 'POST',
    url: '/v1/embeddings',
    headers: { 'content-type': 'application/json' },
    payload: Buffer.alloc(1 << 20, '{'),
  });
  expect(response.statusCode).toBe(401);
});

const record = (name: string, more: Partial<KeyRecord> = {}): KeyRecord => ({
  name,
  hash: hashApiKey(`sk-${name}`),
  created: '2026-01-01',
  ...more,
});
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

test('an expired key is told so, a revoked one is only wrong, and any good key beside them counts', async () => {
  const records = [record('old', { expires: '2026-06-01' }), record('gone', { revoked: true }), record('good')];
  const { app: filed } = await startFake({ keys: new KeyRing({ records }) });
  const messageOf = async (headers: Record<string, string>) => {
    const response = await postJson(filed, body, headers);
    expect(response.statusCode).toBe(401);
    const { error } = response.json<{ error: { code: string; message: string } }>();
    expect(error.code).toBe('invalid_api_key');
    return error.message;
  };
  expect(await messageOf(bearer('sk-old'))).toContain('has expired');
  expect(await messageOf({ ...bearer('sk-old'), 'api-key': 'sk-no' })).toContain('has expired');
  expect(await messageOf(bearer('sk-gone'))).toMatch(/^Incorrect API key/);
  expect((await postJson(filed, body, { ...bearer('sk-old'), 'api-key': 'sk-good' })).statusCode).toBe(200);
});

test('the stages below know whose key it is', async () => {
  const seen: string[] = [];
  const keys = new KeyRing({ records: [record('app')] });
  const { app: named, logLines } = await startFake({
    keys,
    embed: (wanted, signal, origin) => {
      seen.push(origin?.caller ?? '');
      return fakeEmbed(wanted, signal);
    },
  });
  await postJson(named, body, bearer('sk-app'));
  await postJson(
    (await startFake({ embed: (wanted, _, origin) => (seen.push(origin?.caller ?? ''), fakeEmbed(wanted)) })).app,
    body,
  );
  expect(seen).toEqual(['app', 'anyone']);
  expect(JSON.stringify(logLines)).not.toContain('sk-');
});

const scoped = await startFake({
  keys: new KeyRing({ records: [record('in', { models: ['acme/*'] }), record('out', { models: ['other/*'] })] }),
});

test.each([
  ['/v1/embeddings', body],
  ['/embeddings', body],
  ['/openai/deployments/acme/tiny/embeddings', { input: 'a' }],
])('POST %s says of the models of others what it says of models that are not there', async (url, sent) => {
  expect((await postJson(scoped.app, sent, bearer('sk-in'), url)).statusCode).toBe(200);
  const hidden = await postJson(scoped.app, sent, bearer('sk-out'), url);
  expect([hidden.statusCode, hidden.json<{ error: { code: string } }>().error.code]).toEqual([404, 'model_not_found']);
  const absent = await postJson(scoped.app, { ...body, model: 'acme/none' }, bearer('sk-in'));
  expect(hidden.body).toBe(absent.body.replace('acme/none', fakeModel));
});

test('the lists have only the models of the caller', async () => {
  const list = async (key: string) => {
    const response = await scoped.app.inject({ url: '/v1/models', headers: bearer(key) });
    return response.json<{ data: { id: string }[] }>().data.map(({ id }) => id);
  };
  expect([await list('sk-in'), await list('sk-out')]).toEqual([[fakeModel], []]);
  const status = async (key: string) =>
    (await scoped.app.inject({ url: `/v1/models/${fakeModel}`, headers: bearer(key) })).statusCode;
  expect([await status('sk-in'), await status('sk-out')]).toEqual([200, 404]);
});

const groups = {
  docs: [
    '/',
    '/docs',
    '/docs/json',
    '/docs/static/swagger-initializer.js',
    '/redoc',
    '/redoc/redoc.standalone.js',
    '/openapi.json',
  ],
  metrics: ['/metrics'],
  health: ['/health'],
};

test.each(['none', 'docs', 'metrics', 'health', 'docs,metrics,health'])(
  'with %s public the rest needs a key',
  async (publicRoutes) => {
    const { app: guarded } = await startFake({ settings: { apiKeys: 'sk-one', publicRoutes } });
    for (const [group, urls] of Object.entries(groups))
      for (const url of urls) {
        const isPublic = publicRoutes.includes(group);
        expect((await guarded.inject(url)).statusCode, url).toBe(isPublic ? 200 : 401);
        expect((await guarded.inject({ url, headers: bearer('sk-one') })).statusCode, url).toBe(200);
      }
    for (const url of ['/livez', '/readyz']) expect((await guarded.inject(url)).statusCode).toBe(200);
    expect((await guarded.inject('/readyz')).json()).toEqual(
      publicRoutes.includes('health') ? { status: 'ok', models: 1 } : { status: 'ok' },
    );
  },
);

test('without keys nothing is guarded, and a guarded page says why a browser does not get it', async () => {
  const { app: open } = await startFake({ settings: { publicRoutes: 'none' } });
  for (const url of Object.values(groups).flat()) expect((await open.inject(url)).statusCode).toBe(200);
  const { app: guarded } = await startFake({ settings: { apiKeys: 'sk-one', publicRoutes: 'none' } });
  const messageOf = async (url: string, headers = {}) =>
    (await guarded.inject({ url, headers })).json<{ error: { message: string } }>().error.message;
  expect(await messageOf('/docs')).toMatch(/a browser does not send one.*EMBEDDINGS_PUBLIC_ROUTES/);
  expect(await messageOf('/docs', bearer('sk-no'))).toMatch(/^Incorrect API key/);
  expect(await messageOf('/metrics')).toMatch(/^Incorrect API key/);
});

const preflight = (origin: string, headers = 'authorization,content-type,openai-beta,x-stainless-os') => ({
  method: 'OPTIONS' as const,
  url: '/v1/embeddings',
  headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': headers },
});

test('a preflight is answered without a key and allows the headers of the SDKs', async () => {
  const { statusCode, headers } = await app.inject(preflight('https://page.example'));
  expect(statusCode).toBe(204);
  expect(headers['access-control-allow-origin']).toBe('*');
  expect(headers['access-control-allow-methods']).toContain('POST');
  for (const name of ['authorization', 'content-type', 'openai-beta', 'x-stainless-os']) {
    expect(headers['access-control-allow-headers']).toContain(name);
  }
});

test('pages may read our headers, on errors too', async () => {
  const { headers } = await app.inject({ url: '/v1/models', headers: { origin: 'https://page.example' } });
  const exposed = String(headers['access-control-expose-headers']);
  for (const name of ['x-request-id', 'openai-processing-ms', 'x-ratelimit-limit-tokens', 'retry-after']) {
    expect(exposed).toContain(name);
  }
  expect(headers['access-control-allow-origin']).toBe('*');
});

test('with a list of origins only those are allowed', async () => {
  const listed = await startFake({ settings: { corsOrigins: 'https://a.example,https://b.example' } });
  const allowed = await listed.app.inject(preflight('https://b.example'));
  expect(allowed.headers['access-control-allow-origin']).toBe('https://b.example');
  expect(allowed.headers['vary']).toContain('Origin');
  const other = await listed.app.inject(preflight('https://c.example'));
  expect(other.headers).not.toHaveProperty('access-control-allow-origin');
});
