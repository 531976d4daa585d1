import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fakeModel, startFake } from './fakes.ts';

const { app } = await startFake({ settings: { maxBatchSize: '8', maxInputCharacters: '50', logLevel: 'silent' } });

const wrong = fc.jsonValue({ maxDepth: 3 });
const wrongInput = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    5,
    {},
    '',
    [],
    [''],
    [[]],
    [null],
    [1.5],
    [-1],
    ['a', 1],
    [1, 'a'],
    [[1], ['a']],
  ),
  fc.array(fc.oneof(fc.string(), fc.integer(), fc.double(), wrong)).map((list) => [...list, null]),
  fc.array(fc.integer(), { minLength: 1 }).map((ids) => [...ids, -1]),
  fc.array(fc.array(fc.nat()), { minLength: 9 }),
  fc.string({ minLength: 51 }),
);
const validModel = { model: fakeModel };

/** Values that are wrong in at least one place. */
const wrongBody = fc.oneof(
  wrong.filter((value) => typeof value !== 'object' || value === null || !('input' in value)),
  fc.record({ input: wrongInput, user: wrong }).map((body) => ({ ...validModel, ...body })),
  fc.record({ model: wrong.filter((model) => model !== fakeModel), input: fc.string() }),
  fc
    .record({ encoding_format: wrong.filter((v) => v !== null && v !== 'float' && v !== 'base64') })
    .map((body) => ({ ...validModel, input: 'a', ...body })),
  fc
    .record({
      dimensions: fc.oneof(fc.integer({ max: 0 }), fc.string(), fc.boolean(), fc.constant(1.5), fc.constant([])),
    })
    .map((body) => ({ ...validModel, input: 'a', ...body })),
);
const text = wrongBody.map((value) => JSON.stringify(value));
const payload = fc.oneof(
  { weight: 6, arbitrary: text.map((json) => Buffer.from(json)) },
  { weight: 2, arbitrary: fc.tuple(text, fc.nat()).map(([json, cut]) => Buffer.from(cutEnd(json, cut))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }).map((noise) => Buffer.from(noise)) },
);

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

/** An object that is never closed. */
function cutEnd(json: string, at: number): string {
  return `{"model":${json.slice(0, at % json.length)}`;
}
