import { expect, test } from 'vitest';
import type { Embed } from '../../src/embed.ts';
import { ServiceError } from '../../src/errors.ts';
import { mark } from '../../src/tracing/timeline.ts';
import type { EndedRequest, StartedRequest, Tracer } from '../../src/tracing/tracer.ts';
import { fakeEmbed, fakeModel, postJson, startFake } from './fakes.ts';

const body = { model: fakeModel, input: 'a' };
const requestLine = (lines: readonly Record<string, unknown>[]) => lines.find(({ msg }) => msg === 'request');

/** Writes what the real stages write. */
const markedEmbed: Embed = async (request, signal, origin) => {
  const { timeline } = origin ?? {};
  for (const end of ['modelAtMs', 'tokenizedAtMs', 'startedAtMs', 'computedAtMs'] as const) mark(timeline, end);
  if (timeline !== undefined)
    Object.assign(timeline, { batches: 2, deduplicated: 1, neighbours: new Set(['req_other']) });
  return fakeEmbed(request, signal, origin);
};

test('the line of a request has each stage, and they add up to the whole', async () => {
  const { app, logLines } = await startFake({ embed: markedEmbed });
  await postJson(app, body);
  const line = requestLine(logLines);
  const stages = ['bodyMs', 'loadMs', 'tokenizeMs', 'queueMs', 'runMs', 'encodeMs', 'sendMs'];
  expect(line).toMatchObject({
    level: 30,
    status: 200,
    model: fakeModel,
    inputs: 1,
    tokens: 1,
    batches: 2,
    deduplicated: 1,
  });
  const sum = stages.reduce((total, name) => total + Number(line?.[name]), 0);
  expect(Math.abs(sum - Number(line?.['ms']))).toBeLessThan(0.5); // hundredths, and one more look at the clock
  for (const absent of ['caller', 'traceId', 'cached', 'cut', 'slow', 'neighbours', 'code', 'err'])
    expect(line).not.toHaveProperty(absent);
});

test('a refused request ends where it was refused, with its code in the log and the metrics', async () => {
  const { app, logLines, deps } = await startFake({
    embed: async () => {
      throw new ServiceError('server_overloaded', { queued: 1, max: 1, retryAfterSeconds: 1 });
    },
  });
  await postJson(app, body);
  expect(requestLine(logLines)).toMatchObject({ status: 429, code: 'server_overloaded', loadMs: expect.any(Number) });
  expect(requestLine(logLines)).not.toHaveProperty('tokenizeMs');
  expect(await deps.metrics.registry.metrics()).toContain(
    `embeddings_request_errors_total{model="${fakeModel}",code="server_overloaded"} 1`,
  );
});

test('a request that takes too long is a warning and names its neighbours', async () => {
  const embed: Embed = async (...request) => {
    const result = await markedEmbed(...request);
    await new Promise((resolve) => setImmediate(resolve));
    return result;
  };
  const { app, logLines } = await startFake({ embed, settings: { slowRequest: '1ms' } });
  while (!logLines.some(({ slow }) => slow === true)) await postJson(app, body); // the first is slow enough by itself
  expect(logLines.find(({ slow }) => slow === true)).toMatchObject({
    level: 40,
    neighbours: ['req_other'],
    msg: 'request',
  });
});

test('a traced request starts with its headers, is handed on to the stages and ends once', async () => {
  const started: StartedRequest[] = [];
  const ended: EndedRequest[] = [];
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const tracer: Tracer = {
    startRequest: (request) => {
      started.push(request);
      return { traceId, end: (end) => void ended.push(end) };
    },
    recordBatch: () => {},
    close: async () => {},
  };
  let seen: unknown;
  const embed: Embed = (request, signal, origin) => {
    seen = origin?.span?.traceId;
    return markedEmbed(request, signal, origin);
  };
  const { app, logLines } = await startFake({ embed, tracer });
  await postJson(app, body, { traceparent: 'x', 'x-request-id': 'mine' });
  await app.inject('/livez');
  expect(seen).toBe(traceId);
  expect(started).toMatchObject([
    { requestId: 'mine', method: 'POST', route: '/v1/embeddings', headers: { traceparent: 'x' } },
  ]);
  expect(ended).toMatchObject([{ status: 200, model: fakeModel, inputs: 1, tokens: 1, caller: 'anyone' }]);
  expect(ended[0]?.stages.map(({ name }) => name)).toEqual([
    'body',
    'load',
    'tokenize',
    'queue',
    'run',
    'encode',
    'send',
  ]);
  expect(ended[0]?.stages[0]?.startMs).toBe(started[0]?.startMs);
  expect(requestLine(logLines)).toMatchObject({ traceId });
});

test('a scrape says whether the server is ready', async () => {
  let ready = true;
  const { app } = await startFake({ health: () => ({ live: true, ready, detail: {} }) });
  expect((await app.inject('/metrics')).body).toContain('\nembeddings_ready 1\n');
  ready = false;
  expect((await app.inject('/metrics')).body).toContain('\nembeddings_ready 0\n');
});
