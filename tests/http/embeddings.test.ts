import { afterAll, expect, test } from 'vitest';
import type { Embed } from '../../src/embed.ts';
import { ServiceError } from '../../src/errors.ts';
import type { ErrorCode, ErrorDetails } from '../../src/errors.ts';
import { fakeDim, fakeEmbed, fakeModel, fakeSource, postJson, startFake } from './fakes.ts';

const { app, logLines } = await startFake();
afterAll(() => app.close());

interface Answer {
  readonly data: { readonly embedding: number[] | string }[];
}

test('the answer has the keys of OpenAI in their order and nothing else', async () => {
  const response = await postJson(app, { model: fakeModel, input: ['a', 'b'], dimensions: 2 });
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('application/json');
  expect(response.headers['content-length']).toBe(String(response.rawPayload.length));
  expect(response.body).toBe(
    '{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.33333334,0.25]},' +
      '{"object":"embedding","index":1,"embedding":[0.6666667,0.5]}],"model":"acme/tiny",' +
      '"usage":{"prompt_tokens":2,"total_tokens":2}}',
  );
});

test('prompt_name, input_type and task reach the model, and its refusal reaches the client', async () => {
  const seen: unknown[] = [];
  const embed: Embed = async (request, signal) => {
    const { items: _, ...fields } = request;
    seen.push(fields);
    if (request.promptName !== 'query')
      throw new ServiceError('invalid_value', { param: 'prompt_name', got: 'x', expected: 'This model has: query.' });
    return fakeEmbed(request, signal);
  };
  const { app: asking } = await startFake({ embed });
  const fields = { input_type: 'search_query', task: 'retrieval.query' };
  const body = { model: fakeModel, input: 'a', ...fields };
  expect((await postJson(asking, { ...body, prompt_name: 'query' })).statusCode).toBe(200);
  expect(seen).toEqual([{ model: fakeModel, promptName: 'query', inputType: 'search_query', task: 'retrieval.query' }]);
  const refused = await postJson(asking, { ...body, prompt_name: 'x' });
  expect(refused.statusCode).toBe(400);
  expect(refused.json()).toEqual({
    error: {
      message: "Invalid value for 'prompt_name' = x. This model has: query.",
      type: 'invalid_request_error',
      param: 'prompt_name',
      code: null,
    },
  });
  await asking.close();
});

test('base64 is the same vectors as float32 bytes', async () => {
  const float = await postJson(app, { model: fakeModel, input: ['a', 'b'] });
  const base64 = await postJson(app, { model: fakeModel, input: ['a', 'b'], encoding_format: 'base64' });
  const decoded = base64.json<Answer>().data.map(({ embedding }) => {
    const bytes = Buffer.from(embedding as string, 'base64');
    return Array.from({ length: fakeDim }, (_, i) => bytes.readFloatLE(4 * i));
  });
  const floats = float.json<Answer>().data.map(({ embedding }) => (embedding as number[]).map(Math.fround));
  expect(decoded).toEqual(floats);
});

test.each(['/embeddings', '/openai/v1/embeddings', '/v1/embeddings/', '//v1/embeddings'])(
  '%s answers like /v1/embeddings',
  async (url) => {
    const [here, there] = await Promise.all(
      [url, '/v1/embeddings'].map((one) => postJson(app, { model: fakeModel, input: 'a' }, {}, one)),
    );
    expect(here?.body).toBe(there?.body);
    expect(here?.statusCode).toBe(200);
  },
);

test.each(['acme/tiny', 'acme%2Ftiny', 'acme%2ftiny'])('the Azure path takes the model %s', async (id) => {
  const url = `/openai/deployments/${id}/embeddings?api-version=2024-02-01`;
  const response = await postJson(app, { input: 'a' }, {}, url);
  expect(response.json()).toMatchObject({ model: fakeModel, usage: { prompt_tokens: 1 } });
  expect((await postJson(app, { input: 'a', model: 'other' }, {}, url)).statusCode).toBe(200);
});

test.each([
  ['/openai/deployments/acme/tiny/chat/completions', 404, 'unknown_url'],
  ['/openai/deployments/embeddings', 404, 'unknown_url'],
  ['/openai/deployments/no/such/embeddings', 404, 'model_not_found'],
])('POST %s is %i %s', async (url, status, code) => {
  const response = await postJson(app, { input: 'a' }, {}, url);
  expect(response.statusCode).toBe(status);
  expect(response.json()).toMatchObject({ error: { code } });
});

test('many large vectors arrive whole and in order', async () => {
  const wide: Embed = async ({ items }) => {
    const data = Float32Array.from({ length: items.length * 1024 }, (_, i) => Math.floor(i / 1024) / 2048);
    return { vectors: { data, rows: items.length, dim: 1024 }, promptTokens: 1, cuts: [], source: fakeSource };
  };
  const server = await startFake({ embed: wide });
  for (const encoding_format of ['float', 'base64']) {
    const input = Array.from({ length: 2048 }, () => 'a');
    const { data } = (await postJson(server.app, { model: fakeModel, input, encoding_format })).json<Answer>();
    const firsts = data.map(({ embedding }) =>
      typeof embedding === 'string'
        ? Buffer.from(embedding, 'base64').readFloatLE(4092)
        : Math.fround(embedding[1023] ?? NaN),
    );
    expect(firsts).toEqual(input.map((_, i) => i / 2048));
  }
});

test('a model name with quotes and other letters is echoed as it was sent', async () => {
  const name = 'ä"\\\n😀'.repeat(20);
  const server = await startFake({ embed: (request) => fakeEmbed({ ...request, model: fakeModel }) });
  const response = await postJson(server.app, { model: name, input: 'a', dimensions: 1 });
  expect(response.json()).toMatchObject({ model: name });
});

test('a header says what the vectors were made with', async () => {
  const response = await postJson(app, { model: fakeModel, input: 'a' });
  expect(response.headers['x-embeddings-model']).toBe(`${fakeModel}@local; dtype=float32; pooling=mean`);
});

test('cut inputs are listed in a header', async () => {
  const response = await answerWith({ cuts: [cut(3), cut(17)] });
  expect(response.headers['x-embeddings-truncated']).toBe('3:600>512,17:600>512');
  expect(response.headers).not.toHaveProperty('x-embeddings-truncated-count');
  expect((await answerWith({ cuts: [] })).headers).not.toHaveProperty('x-embeddings-truncated');
});

test('a long list of cut inputs ends after 4 KB with its count in another header', async () => {
  const response = await answerWith({ cuts: Array.from({ length: 2048 }, (_, i) => cut(i)) });
  const list = String(response.headers['x-embeddings-truncated']);
  expect(list.length).toBeLessThan(4096 + 10);
  expect(list).toMatch(/^0:600>512,.*\d,\.\.\.$/);
  expect(response.headers['x-embeddings-truncated-count']).toBe('2048');
});

test.each<[ErrorCode, ErrorDetails, number, string | null]>([
  ['context_length_exceeded', { max: 512, got: 600, param: 'input[17]' }, 400, null],
  ['max_tokens_per_request', { got: 2, max: 1 }, 400, 'max_tokens_per_request'],
  ['token_id_out_of_range', { max: 9, got: 10, position: 2, param: 'input[0]' }, 400, 'token_id_out_of_range'],
  ['model_not_found', { model: 'x', param: 'model' }, 404, 'model_not_found'],
  ['server_overloaded', { queued: 2, max: 1, retryAfterSeconds: 2 }, 429, 'rate_limit_exceeded'],
  ['architecture_not_supported', { model: 'x', reason: 'y' }, 501, 'architecture_not_supported'],
  ['model_limit_reached', { model: 'x', held: 'y', retryAfterSeconds: 0.25 }, 503, 'model_limit_reached'],
])('%s of embed is answered as it is', async (code, details, status, openAICode) => {
  const response = await answerWith(new ServiceError(code, details));
  expect(response.statusCode).toBe(status);
  expect(response.json()).toEqual({
    error: {
      message: expect.not.stringContaining('{'),
      type: expect.any(String),
      param: details.param ?? null,
      code: openAICode,
    },
  });
});

test('waiting is told in seconds and milliseconds, and whether it helps', async () => {
  const loading = await answerWith(
    new ServiceError('model_limit_reached', { model: 'x', held: 'y', retryAfterSeconds: 0.25 }),
  );
  expect(loading.headers).toMatchObject({ 'retry-after': '1', 'retry-after-ms': '250', 'x-should-retry': 'true' });
  const broken = await answerWith(new ServiceError('model_broken', { model: 'x', reason: 'y' }));
  expect(broken.headers).toMatchObject({ 'x-should-retry': 'false' });
  expect(broken.headers).not.toHaveProperty('retry-after');
});

test('an unknown error leaks nothing, and the log has it under the request id', async () => {
  const server = await startFake({ embed: () => Promise.reject(new Error('secret path /etc')) });
  const response = await postJson(server.app, { model: fakeModel, input: 'a' });
  expect(response.statusCode).toBe(500);
  expect(response.body).not.toContain('secret');
  const requestId = String(response.headers['x-request-id']);
  expect(response.json()).toMatchObject({
    error: { code: 'internal_error', type: 'server_error', message: expect.stringContaining(requestId) },
  });
  expect(server.logLines).toEqual([
    expect.objectContaining({ requestId, level: 50, err: expect.objectContaining({ message: 'secret path /etc' }) }),
  ]);
});

test('a vector that is not finite is an error that names the input, in both formats', async () => {
  const data = Float32Array.of(1, 2, NaN, 4);
  for (const encoding_format of ['float', 'base64']) {
    const response = await answerWith({ vectors: { data, rows: 2, dim: 2 } }, { encoding_format });
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ error: { code: 'non_finite_output', param: 'input[1]' } });
  }
});

test('a request is one log line without texts, tokens or keys', async () => {
  logLines.length = 0;
  await postJson(app, { model: fakeModel, input: ['my secret'], user: 'bob' }, { authorization: 'Bearer sk-1' });
  await postJson(app, { model: 'secret/unknown', input: [[123_456]] });
  await app.inject({ method: 'POST', url: '/v1/embeddings?api_key=sk-1', headers: jsonType, payload: '{"secret' });
  expect(logLines).toEqual([
    expect.objectContaining({ route: '/v1/embeddings', status: 200, model: fakeModel, inputs: 1, tokens: 1 }),
    expect.objectContaining({ status: 404, model: 'unknown', inputs: 1, code: 'model_not_found' }),
    expect.objectContaining({ status: 400, code: 'invalid_json' }),
  ]);
  expect(JSON.stringify(logLines)).not.toMatch(/secret|123456|sk-1|bob/);
});

test('metrics count requests by known model only', async () => {
  const server = await startFake();
  await postJson(server.app, { model: fakeModel, input: 'a' });
  await postJson(server.app, { model: 'no/such', input: 'a' });
  await postJson(server.app, { model: fakeModel, input: '' });
  const { body, headers } = await server.app.inject('/metrics');
  expect(headers['content-type']).toContain('text/plain');
  expect(body).toContain('embeddings_requests_total{model="acme/tiny",status="200"} 1');
  expect(body).toContain('embeddings_requests_total{model="acme/tiny",status="400"} 1');
  expect(body).toContain('embeddings_requests_total{model="unknown",status="404"} 1');
  expect(body).toContain('embeddings_request_seconds_count{model="acme/tiny"} 2');
  expect(body).toContain('embeddings_encode_seconds_count{model="acme/tiny"} 1');
  expect(body).toContain('embeddings_requests_in_flight 0');
  expect(body).not.toContain('no/such');
});

const jsonType = { 'content-type': 'application/json' };
const cut = (index: number) => ({ index, fullTokens: 600, keptTokens: 512 });

/** What a server answers whose embed gives this result, or throws this error. */
async function answerWith(outcome: Partial<Awaited<ReturnType<Embed>>> | ServiceError, fields: object = {}) {
  const embed: Embed = async (request) => {
    if (outcome instanceof ServiceError) throw outcome;
    return { ...(await fakeEmbed(request)), ...outcome };
  };
  const server = await startFake({ embed });
  return postJson(server.app, { model: fakeModel, input: 'a', ...fields });
}
