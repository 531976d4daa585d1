import { expect, test } from 'vitest';
import { fakeModel, postJson, startFake } from './fakes.ts';

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
