import { afterAll, expect, test } from 'vitest';
import { fakeModel, postJson, startFake } from './fakes.ts';

const { app } = await startFake({ settings: { maxBodyBytes: '2000' } });
afterAll(() => app.close());

const json = { 'content-type': 'application/json' };
const fourKeys = { message: expect.any(String), type: 'invalid_request_error' };

test('the list of models is that of OpenAI with our fields beside', async () => {
  expect((await app.inject('/v1/models')).json()).toEqual({
    object: 'list',
    data: [
      {
        id: fakeModel,
        object: 'model',
        created: 1_700_000_000,
        owned_by: 'acme',
        repository: fakeModel,
        state: 'ready',
        pooling: 'mean',
        token_ids: 'model',
        declared_pooling: 'cls',
        max_tokens: 512,
        dimensions: 8,
      },
    ],
  });
});

test.each(['acme/tiny', 'acme%2Ftiny', 'acme/tiny/'])('GET /v1/models/%s is one model', async (id) => {
  expect((await app.inject(`/v1/models/${id}`)).json()).toMatchObject({ id: fakeModel, object: 'model' });
});

test('a model that is not on the list is 404 with param and code', async () => {
  const response = await app.inject('/v1/models/no/such');
  expect(response.statusCode).toBe(404);
  expect(response.json()).toEqual({ error: { ...fourKeys, param: 'model', code: 'model_not_found' } });
});

test.each(['/', '/livez', '/readyz', '/health', '/info', '/metrics', '/docs', '/redoc', '/openapi.json', '/v1/models'])(
  'GET and HEAD %s answer 200',
  async (url) => {
    const get = await app.inject(url);
    const head = await app.inject({ method: 'HEAD', url });
    expect([get.statusCode, head.statusCode]).toEqual([200, 200]);
    expect(head.body).toBe('');
    expect(get.body.length).toBeGreaterThan(5);
  },
);

test('probes turn 503 with what they report', async () => {
  const down = await startFake({ health: () => ({ live: true, ready: false, detail: { loading: 'x' } }) });
  expect((await down.app.inject('/livez')).statusCode).toBe(200);
  expect((await down.app.inject('/health')).statusCode).toBe(200);
  const ready = await down.app.inject('/readyz');
  expect([ready.statusCode, ready.json()]).toEqual([503, { status: 'unavailable', loading: 'x' }]);
  const dead = await startFake({ health: () => ({ live: false, ready: true, detail: {} }) });
  for (const url of ['/livez', '/readyz', '/health']) expect((await dead.app.inject(url)).statusCode).toBe(503);
});

test.each(['/nope', '/v1', '/v1/embeddings/x', '/%zz', '/docs/nope', '/v1/models/%ff'])('%s is 404', async (url) => {
  const response = await app.inject(url);
  expect(response.statusCode).toBe(404);
  expect(response.json()).toEqual({ error: expect.objectContaining(fourKeys) });
  expect(Object.keys(response.json<{ error: object }>().error)).toEqual(['message', 'type', 'param', 'code']);
  expect(response.headers['x-request-id']).toMatch(/^req_/);
});

test('an address longer than any model id is 404 and its echo is short', async () => {
  const response = await app.inject(`/v1/models/${'a'.repeat(5000)}`);
  expect(response.statusCode).toBe(404);
  expect(response.body.length).toBeLessThan(800);
});

test.each([
  ['GET', '/v1/embeddings', 'POST, OPTIONS'],
  ['DELETE', '/v1/embeddings', 'POST, OPTIONS'],
  ['TRACE', '/v1/models', 'GET, HEAD, OPTIONS'],
  ['POST', '/v1/models', 'GET, HEAD, OPTIONS'],
  ['POST', '/health', 'GET, HEAD, OPTIONS'],
  ['PUT', '/openai/deployments/a/b/embeddings', 'POST, OPTIONS'],
] as const)('%s %s is 405 and says what is allowed', async (method, url, allowed) => {
  const response = await app.inject({ method, url });
  expect([response.statusCode, response.headers['allow']]).toEqual([405, allowed]);
  expect(response.json()).toEqual({ error: { ...fourKeys, param: null, code: 'method_not_supported' } });
});

test.each(['PUT', 'QUERY', 'PROPFIND', 'PATCH'])('%s with a body nobody reads is 405 all the same', async (method) => {
  for (const headers of [{}, { 'content-type': 'text/plain' }, json]) {
    const payload = 'no JSON';
    // `QUERY` is newer than the type of inject.
    const response = await app.inject({ method: method as 'PUT', url: '/v1/embeddings', headers, payload });
    expect([method, response.statusCode, response.headers['allow']]).toEqual([method, 405, 'POST, OPTIONS']);
  }
});

test('a plain OPTIONS says what is allowed', async () => {
  const response = await app.inject({ method: 'OPTIONS', url: '/v1/embeddings' });
  expect([response.statusCode, response.headers['allow']]).toEqual([204, 'POST, OPTIONS']);
});

test('a body over the limit is 413', async () => {
  const response = await postJson(app, { model: fakeModel, input: 'x'.repeat(3000) });
  expect(response.statusCode).toBe(413);
  expect(response.json()).toEqual({
    error: {
      ...fourKeys,
      message: expect.stringContaining('at most 2000 bytes'),
      param: null,
      code: 'body_too_large',
    },
  });
});

test.each([
  ['text/plain', 'text/plain'],
  ['multipart/form-data; boundary=x', 'multipart/form-data'],
  ['application/jsonx', 'application/jsonx'],
  ['nonsense', 'nonsense'],
  [undefined, 'none'],
])('a body of type %s is 415', async (type, told) => {
  const response = await app.inject({
    method: 'POST',
    url: '/v1/embeddings',
    headers: type === undefined ? {} : { 'content-type': type },
    payload: `{"model":"${fakeModel}","input":"a"}`,
  });
  expect(response.statusCode).toBe(415);
  expect(response.json()).toMatchObject({ error: { ...fourKeys, code: 'unsupported_media_type' } });
  expect(response.body).toContain(told);
});

test.each(['application/json; charset=utf-8', 'application/json;charset=latin1', 'Application/JSON'])(
  'a body of type %s is read',
  async (type) => {
    const response = await postJson(app, { model: fakeModel, input: 'ä' }, { 'content-type': type });
    expect(response.statusCode).toBe(200);
  },
);

test('a body that says it is as it is, in any case of letters, is read', async () => {
  const response = await postJson(app, { model: fakeModel, input: 'a' }, { 'content-encoding': 'Identity' });
  expect(response.statusCode).toBe(200);
});

test.each(['/docs/static/..%5cx', '/docs/static/%00'])('the path %s, which is no file name, is 404', async (url) => {
  const response = await app.inject(url);
  expect([response.statusCode, response.json().error.code]).toEqual([404, 'unknown_url']);
});

test('a compressed body is 415', async () => {
  const response = await postJson(app, { model: fakeModel, input: 'a' }, { 'content-encoding': 'gzip' });
  expect(response.statusCode).toBe(415);
});

test.each(['{', 'null', '[]', '"a"', '', '\ufeff{}', '{"model":"a","model"}'])(
  'the body %j is 400',
  async (payload) => {
    const response = await app.inject({ method: 'POST', url: '/v1/embeddings', headers: json, payload });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toEqual({ error: { ...fourKeys, param: null, code: null } });
  },
);

test('an id of the client is echoed where it is safe, else a new one is made', async () => {
  const idOf = async (headers: Record<string, string>) =>
    (await app.inject({ url: '/livez', headers })).headers['x-request-id'];
  expect(await idOf({ 'x-request-id': 'trace-1' })).toBe('trace-1');
  expect(await idOf({ 'x-client-request-id': 'mine', 'x-request-id': 'proxy' })).toBe('mine');
  expect(await idOf({ 'x-request-id': 'a b' })).toMatch(/^req_[0-9a-f]{32}$/);
  expect(await idOf({ 'x-request-id': 'x'.repeat(513) })).toMatch(/^req_/);
  expect(await idOf({})).not.toBe(await idOf({}));
});

test('every answer carries the headers of OpenAI', async () => {
  for (const url of ['/v1/models', '/nope', '/health']) {
    const { headers } = await app.inject(url);
    expect(headers['openai-version']).toBe('2020-10-01');
    expect(headers['openai-processing-ms']).toMatch(/^\d+$/);
  }
});
