import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { repositoryFromFolder } from '../hub/fake-repository.ts';
import { startFakeHub } from '../hub/fake-hub.ts';
import { goldensFolder, loadGoldens, maxAbsDifference } from '../parity/goldens.ts';
import { ask, startService, until } from './service.ts';

const folder = mkdtempSync(join(tmpdir(), 'download-'));
const list = join(folder, 'supported_models.txt');
writeFileSync(list, 'tiny/bert\ntiny/qwen3\ntiny/none\ntiny/gated\n');
const repository = (family: string, options = {}) =>
  repositoryFromFolder(`tiny/${family}`, join(goldensFolder, 'models/tiny', family), options);
const bert = repository('bert');
const gated = { ...repository('bert', { gatedFor: 'hf_secret' }), id: 'tiny/gated' };
const hub = await startFakeHub({ repositories: [bert, repository('qwen3'), gated] });
const settings = {
  'supported-models': list,
  'hf-hub-cache': join(folder, 'hub'),
  'hf-endpoint': hub.endpoint,
  'load-wait-seconds': '1',
  preload: 'none',
  replicas: '1',
};
const service = await startService(...Object.entries(settings).map(([name, value]) => `--${name}=${value}`));
afterAll(async () => {
  service.kill('SIGTERM');
  await Promise.all([service.ended, hub.close()]);
  rmSync(folder, { recursive: true });
});

const cardOf = async (model: string) =>
  (await (await fetch(`${service.url}/v1/models/${model}`)).json()) as Readonly<Record<string, unknown>>;
const golden = (family: string) => loadGoldens(`tiny-${family}`)[3]!;

test('a model that is not here is downloaded for the first who asks, once, and gives right vectors', async () => {
  const { ids, vector } = golden('bert');
  const answers = await Promise.all([1, 2, 3].map(() => ask(service.url, 'tiny/bert', [ids])));
  for (const { status, body } of answers) {
    expect(status).toBe(200);
    expect(maxAbsDifference(Float32Array.from(body.data?.[0]?.embedding ?? []), vector)).toBeLessThanOrEqual(2e-5);
  }
  expect(hub.requests.filter(({ path }) => path.includes('/revision/'))).toHaveLength(1);
  expect(await cardOf('tiny/bert')).toMatchObject({ state: 'ready', origin: 'cache', revision: bert.commit });
});

test('who waits too long gets 503 with a time to come back, sees how far it is, and has it then', async () => {
  const slow = { pieceBytes: 4000, pauseMs: 60 };
  hub.addFault({ host: 'cdn', fault: { slow } });
  const { ids, vector } = golden('qwen3');
  const early = await ask(service.url, 'tiny/qwen3', [ids]);
  expect([early.status, early.body.error?.code]).toEqual([503, 'model_loading']);
  expect(Number(early.retryAfter)).toBeGreaterThanOrEqual(1);
  expect(Number(early.retryAfter)).toBeLessThanOrEqual(60);
  const card = await cardOf('tiny/qwen3');
  expect(card).toMatchObject({ state: 'downloading', downloaded_bytes: expect.any(Number) });
  expect(card['download_bytes']).toBeGreaterThan(Number(card['downloaded_bytes']));
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  expect(metrics).toMatch(/^embeddings_download_bytes\{model="tiny\/qwen3"\} \d+$/m);
  const answer = await until('the model answers', async () => {
    const later = await ask(service.url, 'tiny/qwen3', [ids]);
    return later.status === 200 ? later : undefined;
  });
  const embedding = Float32Array.from(answer.body.data?.[0]?.embedding ?? []);
  expect(maxAbsDifference(embedding, vector)).toBeLessThanOrEqual(2e-5);
});

test('what cannot be downloaded says why and what to do, and is not asked for again at once', async () => {
  const [none, closed] = [await ask(service.url, 'tiny/none', [[1]]), await ask(service.url, 'tiny/gated', [[1]])];
  expect([none.status, none.body.error?.code, none.body.error?.message]).toEqual([
    502,
    'download_failed',
    expect.stringContaining('There is no repository tiny/none'),
  ]);
  expect(closed.body.error?.message).toContain('accept its terms');
  hub.forgetRequests();
  expect((await ask(service.url, 'tiny/none', [[1]])).status).toBe(502);
  expect(hub.requests).toEqual([]);
  expect(await cardOf('tiny/gated')).toMatchObject({ state: 'failed', problem: expect.stringContaining('gated') });
});
