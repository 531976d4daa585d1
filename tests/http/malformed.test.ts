import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wrongBodies } from '../fuzz/request-bodies.ts';
import { fakeModel, startFake } from './fakes.ts';

const { app } = await startFake({ settings: { maxBatchSize: '8', maxInputCharacters: '50', logLevel: 'silent' } });

const payload = wrongBodies(fakeModel);

test('20,000 malformed bodies are all answered 4xx with four keys', async () => {
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(payload, async (body) => {
      const headers = { 'content-type': 'application/json' };
      const response = await app.inject({ method: 'POST', url: '/v1/embeddings', headers, payload: body });
      const { error } = response.json<{ error: Record<string, unknown> }>();
      const isRight =
        response.statusCode >= 400 &&
        response.statusCode < 500 &&
        Object.keys(error).join() === 'message,type,param,code' &&
        typeof error['message'] === 'string' &&
        error['message'].length < 700;
      if (!isRight) expect.fail(`${response.statusCode} ${response.body}`);
      statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1);
    }),
    { numRuns: 20_000 },
  );
  expect(new Set(statuses.keys())).toEqual(new Set([400, 404]));
}, 120_000);
