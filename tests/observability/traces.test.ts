import { expect, onTestFinished, test } from 'vitest';
import { bundledModel, startServiceWith, until } from '../e2e/service.ts';
import { startCollector, type Collector } from './fake-collector.ts';

const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const soon = { OTEL_BSP_SCHEDULE_DELAY: '50' };

async function start(variables: Readonly<Record<string, string>>) {
  const service = await startServiceWith(variables, '--replicas', '1', '--threads', '1');
  onTestFinished(() => service.kill('SIGKILL'));
  return service;
}

function send(url: string, input: string | readonly string[], headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: bundledModel, input }),
  });
}

const named = ({ spans }: Collector, name: string) => spans.filter((span) => span.name === name);
const attributesOf = (span: Collector['spans'][number] | undefined) =>
  Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]));

test('a request is a child of its client, has a span for each stage, and its batch is linked to it', async () => {
  const collector = await startCollector();
  onTestFinished(() => collector.close());
  const service = await start({
    ...soon,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=acme',
    OTEL_SERVICE_NAME: 'vectors',
  });
  const traceparent = `00-${parent.traceId}-${parent.spanId}-01`;
  expect((await send(service.url, 'a text', { traceparent, 'x-request-id': 'mine' })).status).toBe(200);
  const request = await until('the span is there', () => named(collector, 'POST /v1/embeddings')[0]);
  expect(request).toMatchObject({ traceId: parent.traceId, parentSpanId: parent.spanId });
  expect(attributesOf(request)).toMatchObject({
    'embeddings.request_id': 'mine',
    'embeddings.inputs': 1,
    'http.response.status_code': 200,
    'http.route': '/v1/embeddings',
    'gen_ai.request.model': bundledModel,
  });
  const children = collector.spans.filter(({ parentSpanId }) => parentSpanId === request.spanId);
  const names = children.map(({ name }) => name).filter((name) => name !== 'batch');
  expect(names.toSorted()).toEqual(['body', 'encode', 'load', 'queue', 'run', 'send', 'tokenize']);
  expect(children.every(({ traceId }) => traceId === parent.traceId)).toBe(true);
  for (const { startTimeUnixNano, endTimeUnixNano } of children) {
    expect(BigInt(startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(request.startTimeUnixNano));
    expect(BigInt(endTimeUnixNano)).toBeLessThanOrEqual(BigInt(request.endTimeUnixNano));
  }
  const batch = named(collector, 'batch')[0];
  expect(batch?.links).toMatchObject([{ traceId: parent.traceId, spanId: request.spanId }]);
  expect(named(collector, 'run')[0]?.links).toMatchObject([{ spanId: batch?.spanId }]);
  expect(collector.resource.get('service.name')).toBe('vectors');
  expect(collector.headers[0]).toMatchObject({ path: '/v1/traces', 'x-tenant': 'acme' });
  expect(JSON.stringify(collector.spans)).not.toContain('a text');
  expect(service.log.find((line) => line.includes('"mine"'))).toContain(`"traceId":"${parent.traceId}"`);
});

test('a batch of several requests is linked to all of them, and a stop sends what is left', async () => {
  const collector = await startCollector();
  onTestFinished(() => collector.close());
  const service = await start({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/mine` });
  const long = Array.from({ length: 64 }, (_, i) => `text ${i} `.repeat(40));
  const before = send(service.url, long); // keeps the runner while the others come
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => send(service.url, `short ${i}`)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  await before;
  service.kill('SIGTERM');
  expect(await service.ended).toBe(0);
  const requests = new Map(named(collector, 'POST /v1/embeddings').map((span) => [span.spanId, span]));
  expect(requests.size).toBe(13);
  expect(collector.headers[0]).toMatchObject({ path: '/mine' });
  const shared = named(collector, 'batch').filter(({ links = [] }) => links.length > 1);
  expect(shared.length).toBeGreaterThan(0);
  for (const { links = [], parentSpanId, traceId } of shared) {
    expect(links.every(({ spanId, traceId: of }) => requests.get(spanId)?.traceId === of)).toBe(true);
    expect(links[0]).toMatchObject({ spanId: parentSpanId, traceId });
  }
});

test('what the sampler leaves out is not sent', async () => {
  const collector = await startCollector();
  onTestFinished(() => collector.close());
  const service = await start({
    ...soon,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: 'always_off',
  });
  expect((await send(service.url, 'a')).status).toBe(200);
  service.kill('SIGTERM');
  expect(await service.ended).toBe(0);
  expect(collector.headers).toEqual([]);
  expect(service.log.join()).not.toContain('traceId');
});

test.each([
  ['none listens', undefined],
  ['it hangs', { answers: false }],
])('a collector is dead (%s): requests are answered as fast, and the stop is not held up', async (_, kind) => {
  const collector = kind === undefined ? undefined : await startCollector(kind);
  if (collector !== undefined) onTestFinished(() => collector.close());
  const url = collector?.url ?? 'http://127.0.0.1:9'; // the port of discard, where nobody listens
  const service = await start({ ...soon, OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_MAX_QUEUE_SIZE: '64' });
  await send(service.url, 'first');
  const startMs = performance.now();
  for (let i = 0; i < 200; i++) expect((await send(service.url, `text ${i}`)).status).toBe(200);
  expect(performance.now() - startMs).toBeLessThan(15_000);
  const stopMs = performance.now();
  service.kill('SIGTERM');
  expect(await service.ended).toBe(0);
  expect(performance.now() - stopMs).toBeLessThan(6000);
});
