import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, bundledModel, distinctInputs, until } from '../e2e/service.ts';
import { startApp, type TestApp } from './app.ts';

const poison = 29_999; // an id of the vocabulary that no other input has
let service: TestApp;
let poisonRuns = 0;

/** Real runners, each of which is killed as soon as it gets the poison. */
beforeAll(async () => {
  service = await startApp({
    variables: { EMBEDDINGS_REPLICAS: '2', EMBEDDINGS_THREADS: '1' },
    meddle: (channel) => ({
      ...channel,
      send: (message) => {
        channel.send(message);
        if (message.kind !== 'run' || !message.ids.includes(poison)) return;
        poisonRuns++;
        channel.kill();
      },
    }),
  });
  await until('the service is ready', async () => (await fetch(`${service.url}/readyz`)).ok);
});
afterAll(async () => service.app.close());

test('an input that kills two runners is refused by name, and everybody else is answered', async () => {
  const others = Array.from({ length: 8 }, (_, seed) => ask(service.url, bundledModel, distinctInputs(seed, 8)));
  const poisoned = ask(service.url, bundledModel, [...distinctInputs(99, 5), [101, poison, 102]]);
  const { status, retryAfter, body } = await poisoned;
  expect([status, retryAfter]).toEqual([422, null]);
  expect(body.error).toEqual({
    code: 'input_quarantined',
    type: 'invalid_request_error',
    param: 'input[5]',
    message: expect.stringContaining('stopped twice') as string,
  });
  for (const answer of await Promise.all(others)) expect([answer.status, answer.body.data?.length]).toEqual([200, 8]);
  expect(poisonRuns).toBe(2);
});

test('from then on it reaches no runner, in any request, and the log names the request, never the input', async () => {
  const alone = await ask(service.url, bundledModel, [[101, poison, 102]]);
  expect([alone.status, alone.body.error?.code]).toEqual([422, 'input_quarantined']);
  const among = await ask(service.url, bundledModel, [
    [101, 2000, 102],
    [101, poison, 102],
  ]);
  expect(among.body.error).toMatchObject({ param: 'input[1]' });
  expect((await ask(service.url, bundledModel, [[101, 2000, 102]])).status).toBe(200);
  expect(poisonRuns).toBe(2);
  const lines = service.logLines.filter(({ msg }) => String(msg).includes('refused for a while'));
  expect(lines).toEqual([
    expect.objectContaining({ model: bundledModel, requestIds: [expect.stringMatching(/^req_/)] }),
  ]);
  expect(JSON.stringify(service.logLines)).not.toContain(String(poison));
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  expect(metrics).toMatch(/^embeddings_quarantined_inputs_total\{model="[^"]+"\} 1$/m);
});
