import type { AddressInfo } from 'node:net';
import OpenAI, { AzureOpenAI } from 'openai';
import { afterAll, expect, test } from 'vitest';
import { ServiceError } from '../../src/errors.ts';
import { fakeEmbed, fakeModel, startFake } from './fakes.ts';

let fail: ServiceError | undefined;
let calls = 0;
const { app } = await startFake({
  settings: { apiKeys: 'sk-good' },
  embed: async (request) => {
    calls += 1;
    if (fail !== undefined) throw fail;
    return fakeEmbed(request);
  },
});
await app.listen({ port: 0, host: '127.0.0.1' });
const origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: 'sk-good', maxRetries: 0 });
afterAll(() => app.close());

const expected = Array.from({ length: 8 }, (_, i) => Math.fround(1 / (i + 3)));

test('the default of the client, base64, decodes to the vectors', async () => {
  const { data, model, usage } = await client.embeddings.create({ model: fakeModel, input: ['a', 'b'] });
  expect(data.map(({ index }) => index)).toEqual([0, 1]);
  expect(data[0]?.embedding).toEqual(expected);
  expect([model, usage]).toEqual([fakeModel, { prompt_tokens: 2, total_tokens: 2 }]);
});

test('floats come as numbers', async () => {
  const { data } = await client.embeddings.create({ model: fakeModel, input: 'a', encoding_format: 'float' });
  expect(data[0]?.embedding.map(Math.fround)).toEqual(expected);
});

test('token ids and dimensions are sent as the client knows them', async () => {
  const { data } = await client.embeddings.create({ model: fakeModel, input: [[1, 2], [3]], dimensions: 2 });
  expect(data.map(({ embedding }) => embedding.length)).toEqual([2, 2]);
  expect((await client.embeddings.create({ model: fakeModel, input: [1, 2, 3] })).data).toHaveLength(1);
});

test('models are listed and retrieved, with a slash in the id', async () => {
  const ids: string[] = [];
  for await (const model of client.models.list()) ids.push(model.id);
  expect(ids).toEqual([fakeModel]);
  expect(await client.models.retrieve(fakeModel)).toMatchObject({ id: fakeModel, object: 'model', owned_by: 'acme' });
});

test('errors become the classes of the client, with code, param, type and request id', async () => {
  const bad = await errorOf(client.embeddings.create({ model: fakeModel, input: ['a', ''] }));
  expect(bad).toBeInstanceOf(OpenAI.BadRequestError);
  expect(bad).toMatchObject({ status: 400, code: null, param: 'input[1]', type: 'invalid_request_error' });
  expect(bad.requestID).toMatch(/^req_/);

  const unknown = await errorOf(client.embeddings.create({ model: 'no/such', input: 'a' }));
  expect(unknown).toBeInstanceOf(OpenAI.NotFoundError);
  expect(unknown).toMatchObject({ code: 'model_not_found', param: 'model' });
  expect(await errorOf(client.models.retrieve('no/such'))).toBeInstanceOf(OpenAI.NotFoundError);

  const stranger = new OpenAI({ baseURL: `${origin}/v1`, apiKey: 'sk-bad', maxRetries: 0 });
  const denied = await errorOf(stranger.models.list());
  expect(denied).toBeInstanceOf(OpenAI.AuthenticationError);
  expect(denied).toMatchObject({ code: 'invalid_api_key' });
});

test('a full queue is a RateLimitError, a crash an InternalServerError', async () => {
  fail = new ServiceError('server_overloaded', { queued: 2, max: 1, retryAfterSeconds: 1 });
  const limited = await errorOf(client.embeddings.create({ model: fakeModel, input: 'a' }));
  expect(limited).toBeInstanceOf(OpenAI.RateLimitError);
  expect(limited).toMatchObject({ code: 'rate_limit_exceeded', type: 'tokens' });
  fail = new ServiceError('runner_crashed', { model: fakeModel, reason: 'x', retryAfterSeconds: 1 });
  expect(await errorOf(client.embeddings.create({ model: fakeModel, input: 'a' }))).toBeInstanceOf(
    OpenAI.InternalServerError,
  );
  fail = undefined;
});

test('the client tries again where that can help and not where it cannot', async () => {
  const patient = new OpenAI({ baseURL: `${origin}/v1`, apiKey: 'sk-good', maxRetries: 1 });
  const callsFor = async (error: ServiceError) => {
    fail = error;
    calls = 0;
    await errorOf(patient.embeddings.create({ model: fakeModel, input: 'a' }));
    fail = undefined;
    return calls;
  };
  expect(await callsFor(new ServiceError('model_limit_reached', { max: 4, retryAfterSeconds: 0.001 }))).toBe(2);
  expect(await callsFor(new ServiceError('model_broken', { model: 'x', reason: 'y' }))).toBe(1);
});

test('the Azure client finds its path and sends its key', async () => {
  const azure = new AzureOpenAI({ endpoint: origin, apiKey: 'sk-good', apiVersion: '2024-10-21', maxRetries: 0 });
  const { data, model } = await azure.embeddings.create({ model: fakeModel, input: 'a' });
  expect([data[0]?.embedding, model]).toEqual([expected, fakeModel]);
  const options = { endpoint: origin, apiKey: 'sk-good', apiVersion: '2024-10-21', deployment: fakeModel };
  const deployed = await new AzureOpenAI(options).embeddings.create({ model: '', input: 'a' });
  expect(deployed.model).toBe(fakeModel);
});

async function errorOf(promise: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof OpenAI.APIError) return error;
    throw error;
  }
  return expect.fail('was answered');
}
