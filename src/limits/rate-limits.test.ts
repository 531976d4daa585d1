import { expect, test } from 'vitest';
import { anyone, type Caller } from '../access/caller.ts';
import { ServiceError } from '../errors.ts';
import type { LimitStore } from './limit-store.ts';
import { RateLimits, type RateLimitsOptions } from './rate-limits.ts';

/** One minute that never ends. */
function fakeStore(): LimitStore & { readonly used: Map<string, number> } {
  const used = new Map<string, number>();
  const resetMs = 1500;
  const add = (name: string, amount: number): void => void used.set(name, (used.get(name) ?? 0) + amount);
  return {
    used,
    take: async ({ kind, key, amount, limit }) => {
      const name = `${kind} ${key}`;
      const isTaken = (used.get(name) ?? 0) + amount <= limit;
      if (isTaken) add(name, amount);
      return { isTaken, used: used.get(name) ?? 0, resetMs };
    },
    peek: async ({ kind, key }) => ({ used: used.get(`${kind} ${key}`) ?? 0, resetMs }),
    giveBack: async ({ kind, key, amount }) => add(`${kind} ${key}`, -amount),
    close: () => {},
  };
}

function limitsOf(options: Partial<RateLimitsOptions> = {}) {
  const store = fakeStore();
  const limited: string[] = [];
  const limits = new RateLimits({
    requestsPerMinute: undefined,
    tokensPerMinute: undefined,
    openStore: async () => store,
    onLimited: (kind, caller) => limited.push(`${kind} ${caller}`),
    ...options,
  });
  return { limits, store, limited };
}

const key = (fields: Partial<Caller> = {}): Caller => ({ name: 'app', ...fields });

async function refusal(work: Promise<void>): Promise<ServiceError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ServiceError) return error;
  return expect.fail(`expected a ServiceError, got ${String(error)}`);
}

test('without a limit nothing is counted, and no store is opened', () => {
  const { limits } = limitsOf({ openStore: () => expect.fail('was opened') });
  expect(limits.begin(key(), undefined)).toBeUndefined();
});

test('the request over the limit is refused in the words of OpenAI, with the time until it will not be', async () => {
  const { limits, limited } = limitsOf({ requestsPerMinute: 2 });
  for (let i = 0; i < 2; i++) await (await limits.begin(key(), undefined))!.takeRequest();
  const quota = (await limits.begin(key(), undefined))!;
  const error = await refusal(quota.takeRequest());
  expect(error.toOpenAI()).toEqual({
    message:
      'Rate limit reached for app on requests per min (RPM): Limit 2, Used 2, Requested 1. Please try again in 1.5s.',
    type: 'requests',
    param: null,
    code: 'rate_limit_exceeded',
  });
  expect([error.status, error.details.retryAfterSeconds]).toEqual([429, 1.5]);
  expect(limited).toEqual(['requests app']);
  expect(quota.headers()).toEqual({
    'x-ratelimit-limit-requests': '2',
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': '1.5s',
  });
});

test('tokens over the limit are refused and not counted, and given back where no vectors came of them', async () => {
  const { limits, store } = limitsOf({ tokensPerMinute: 100 });
  const first = (await limits.begin(key(), undefined))!;
  await first.takeRequest();
  await first.takeTokens(70, 'm');
  expect(first.headers()).toMatchObject({ 'x-ratelimit-remaining-tokens': '30' });
  const second = (await limits.begin(key(), undefined))!;
  const error = await refusal(second.takeTokens(40, 'm'));
  expect(error.toOpenAI()).toMatchObject({
    message:
      'Rate limit reached for m in organization app on tokens per min (TPM): Limit 100, Used 70, Requested 40. Please try again in 1.5s.',
    type: 'tokens',
    code: 'rate_limit_exceeded',
  });
  await first.giveBackTokens();
  await first.giveBackTokens(); // once only
  await second.giveBackTokens(); // has none
  expect([...store.used.values()]).toEqual([0]);
  expect(first.headers()).toMatchObject({ 'x-ratelimit-remaining-tokens': '100' });
});

test('with no token left a request is refused before it is read', async () => {
  const { limits } = limitsOf({ tokensPerMinute: 100 });
  await (await limits.begin(key(), undefined))!.takeTokens(100, 'm');
  expect(await refusal((await limits.begin(key(), undefined))!.takeRequest())).toMatchObject({
    code: 'tokens_limit_reached',
  });
});

test('a request that no minute has room for is told so, and not to come back', async () => {
  const { limits } = limitsOf({ tokensPerMinute: 100 });
  const error = await refusal((await limits.begin(key(), undefined))!.takeTokens(101, 'm'));
  expect(error).toMatchObject({ code: 'request_over_limit', retry: false });
  expect(error.details.retryAfterSeconds).toBeUndefined();
});

test("a key's own numbers win over those of the server", async () => {
  const { limits } = limitsOf({ requestsPerMinute: 1 });
  const own = key({ requestsPerMinute: 2 });
  for (let i = 0; i < 2; i++) await (await limits.begin(own, undefined))!.takeRequest();
  expect(await refusal((await limits.begin(own, undefined))!.takeRequest())).toMatchObject({
    details: { limit: 2 },
  });
});

test('without keys each address has its own count, an IPv6 network one for all of its addresses', async () => {
  const { limits, store } = limitsOf({ requestsPerMinute: 100 });
  const addresses = ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '2001:db8:0:0:ffff::2', '::1', undefined];
  for (const address of addresses) await (await limits.begin(anyone, address))!.takeRequest();
  expect(Object.fromEntries(store.used)).toEqual({
    'requests address 192.0.2.1': 2,
    'requests address 2001:db8:0:0': 2,
    'requests address 0:0:0:0': 1,
    'requests address local': 1,
  });
});
