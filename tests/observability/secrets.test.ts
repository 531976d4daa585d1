import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { bundledModel, runnerPids, startServiceWith, until } from '../e2e/service.ts';
import { startCollector } from './fake-collector.ts';

const secret = {
  key: 'sk-marker-7141',
  wrongKey: 'sk-marker-5150',
  token: 'hf_marker_2718',
  text: 'marker-text-31415',
};
const ids = [101, 7313, 8131, 9241, 102];
const forbidden = [...Object.values(secret), ids.join(','), ids.join(', ')];

test('no text, token or key is in what any process writes or sends, at the most talkative level', async () => {
  const collector = await startCollector();
  onTestFinished(() => collector.close());
  const service = await startServiceWith(
    {
      EMBEDDINGS_API_KEYS: secret.key,
      HF_TOKEN: secret.token,
      EMBEDDINGS_LOG_LEVEL: 'trace',
      EMBEDDINGS_SLOW_REQUEST: '1ms',
      HF_ENDPOINT: 'http://127.0.0.1:9',
      EMBEDDINGS_LOAD_WAIT_SECONDS: '2',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    },
    '--replicas',
    '1',
  );
  onTestFinished(() => service.kill('SIGKILL'));
  const send = (body: unknown, { key = secret.key, path = '/v1/embeddings' } = {}) =>
    fetch(service.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const { text } = secret;
  const statuses = [
    await send({ model: bundledModel, input: text }),
    await send({ model: bundledModel, input: [text, `${text} again`], user: text }),
    await send({ model: bundledModel, input: ids }),
    await send({ model: bundledModel, input: text }, { key: secret.wrongKey }),
    await send({ model: bundledModel, input: [text, 3] }), // errors that quote what came
    await send({ model: bundledModel, input: text, dimensions: text }),
    await send({ model: text, input: text }),
    await send({ model: bundledModel, input: text.repeat(3000) }),
    await send(`{"model": "${bundledModel}", "input": "${text}`),
    await send({ input: text }, { path: `/nowhere/${text.slice(0, 3)}?key=${secret.key}` }),
    await send({ model: 'BAAI/bge-small-en-v1.5', input: text }), // a download that fails
  ].map(({ status }) => status);
  expect(statuses).toEqual([200, 200, 200, 401, 400, 400, 404, 400, 400, 404, expect.any(Number)]);
  const [runner] = await keyedRunners(service.url);
  const queued = async () =>
    /^embeddings_queue_tokens\S* [1-9]/m.test(await (await fetch(`${service.url}/metrics`)).text());
  const working = send({ model: bundledModel, input: Array.from({ length: 600 }, (_, i) => `${text} ${i}`) });
  await until('the runner works, and more waits', queued);
  process.kill(runner!, 'SIGKILL'); // a crash names requests, and no more
  expect((await working).status).toBe(200);
  const crash = await until('the crash is logged', () => service.log.find((line) => line.includes('runner stopped')));
  expect(JSON.parse(crash)).toMatchObject({ requestIds: [expect.stringMatching(/^req_/)] });
  const environment = readFileSync(`/proc/${(await keyedRunners(service.url))[0]}/environ`, 'utf8');
  service.kill('SIGTERM');
  expect(await service.ended).toBe(0);
  expect(collector.spans.length).toBeGreaterThan(10);
  const written = [
    ...service.log,
    ...service.errors,
    JSON.stringify([collector.spans, ...collector.resource]),
    environment,
  ].join('\n');
  expect(written).toContain('"msg":"request"');
  for (const mark of forbidden) expect(written).not.toContain(mark);

  async function keyedRunners(url: string): Promise<readonly number[]> {
    return until('a runner is there', async () => {
      const pids = await runnerPids(url, { authorization: `Bearer ${secret.key}` });
      return pids.length > 0 ? pids : undefined;
    });
  }
});
