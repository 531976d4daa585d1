import { expect, test } from 'vitest';
import type { Embed } from '../../src/embed.ts';
import { ServiceError } from '../../src/errors.ts';
import { openStore } from '../../src/limits/open-store.ts';
import { RateLimits } from '../../src/limits/rate-limits.ts';
import { fakeEmbed, fakeModel, postJson, startFake } from './fakes.ts';

const limitsOf = (numbers: { requestsPerMinute?: number; tokensPerMinute?: number }) =>
  new RateLimits({
    requestsPerMinute: undefined,
    tokensPerMinute: undefined,
    ...numbers,
    openStore: async () => openStore(),
    onLimited: () => {},
  });
const body = { model: fakeModel, input: 'a' };

/** Takes the tokens as `createEmbed` does. */
const embed: Embed = async (wanted, signal, origin) => {
  await origin?.admit?.(wanted.items.length, wanted.model);
  return fakeEmbed(wanted, signal, origin);
};

test("every answer says what is left, in OpenAI's headers", async () => {
  const { app } = await startFake({ embed, limits: limitsOf({ requestsPerMinute: 2, tokensPerMinute: 10 }) });
  const first = await postJson(app, { model: fakeModel, input: ['a', 'b', 'c'] });
  expect(first.statusCode).toBe(200);
  expect(first.headers).toMatchObject({
    'x-ratelimit-limit-requests': '2',
    'x-ratelimit-limit-tokens': '10',
    'x-ratelimit-remaining-requests': '1',
    'x-ratelimit-remaining-tokens': '7',
  });
  expect(first.headers['x-ratelimit-reset-tokens']).toMatch(/^(1m0s|59\.\d+s)$/);
  expect((await postJson(app, {})).headers['x-ratelimit-remaining-requests']).toBe('0'); // broken requests count
  const refused = await postJson(app, body);
  expect(refused.statusCode).toBe(429);
  expect(refused.json<{ error: object }>().error).toMatchObject({ type: 'requests', code: 'rate_limit_exceeded' });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(55);
  expect(Number(refused.headers['retry-after-ms'])).toBeGreaterThan(55_000);
  expect(refused.headers['x-should-retry']).toBe('true');
  expect((await app.inject('/v1/models')).headers).not.toHaveProperty('x-ratelimit-limit-requests');
});

test('tokens of a request that the server could not do are given back', async () => {
  let isBusy = true;
  const { app } = await startFake({
    embed: async (wanted, signal, origin) => {
      await origin?.admit?.(5, wanted.model);
      if (isBusy) throw new ServiceError('server_overloaded', { queued: 1, max: 1, retryAfterSeconds: 1 });
      return fakeEmbed(wanted, signal, origin);
    },
    limits: limitsOf({ tokensPerMinute: 10 }),
  });
  const remaining = async (): Promise<unknown> => (await postJson(app, body)).headers['x-ratelimit-remaining-tokens'];
  expect(await remaining()).toBe('10');
  isBusy = false;
  expect(await remaining()).toBe('5');
});

test('a request over the whole limit is told that it never fits', async () => {
  const { app } = await startFake({ embed, limits: limitsOf({ tokensPerMinute: 2 }) });
  const refused = await postJson(app, { model: fakeModel, input: ['a', 'b', 'c'] });
  expect(refused.statusCode).toBe(429);
  expect(refused.headers).not.toHaveProperty('retry-after');
  expect(refused.headers['x-should-retry']).toBe('false');
});

test('where the queue has no room the body is not parsed, and the connection stays', async () => {
  const asked: unknown[] = [];
  const { app } = await startFake({
    refuseEarly: (model, bytes) => {
      asked.push([model, bytes]);
      return new ServiceError('server_overloaded', { queued: 9, max: 9, retryAfterSeconds: 3 });
    },
  });
  const payload = `{"model":"${fakeModel}","input":["${'x'.repeat(3200)}", broken`;
  const headers = { 'content-type': 'application/json' };
  const refused = await app.inject({ method: 'POST', url: '/v1/embeddings', headers, payload });
  expect(refused.statusCode).toBe(429);
  expect(refused.headers['retry-after']).toBe('3');
  expect(refused.headers['connection']).not.toBe('close');
  expect(asked).toEqual([[fakeModel, payload.length]]);
});

test('the deadline is what the client says, and at most what the server allows', async () => {
  const waits: (number | undefined)[] = [];
  const { app } = await startFake({
    embed: (wanted, signal, origin) => {
      waits.push(origin?.deadlineMs === undefined ? undefined : origin.deadlineMs - performance.now());
      return fakeEmbed(wanted, signal, origin);
    },
    settings: { maxWait: '20s' },
  });
  await postJson(app, body, { 'x-request-timeout-ms': '5000' });
  await postJson(app, body, { 'x-stainless-timeout': '600' });
  expect(waits[0]).toBeLessThanOrEqual(5000);
  expect(waits[0]).toBeGreaterThan(4000);
  expect(waits[1]).toBeLessThanOrEqual(20_000);
  expect(waits[1]).toBeGreaterThan(19_000);
});
