import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isRunning } from '../../bench/process-tree.ts';
import { ask, bundledModel, distinctInputs, runnerPids, startLoad, startService, until } from './service.ts';

const folder = mkdtempSync(join(tmpdir(), 'allowlist-edit-'));
const list = join(folder, 'supported_models.txt');
writeFileSync(list, `${bundledModel} alias=first\n`);
const service = await startService('--supported-models', list, '--replicas', '1', '--threads', '1');
afterAll(async () => {
  service.kill('SIGTERM');
  await service.ended;
  rmSync(folder, { recursive: true });
});

const statusOf = async (model: string): Promise<number> => (await ask(service.url, model, [[101, 102]])).status;

test('an edit with requests in flight takes effect, and those requests end as they began', async () => {
  const runners = await runnerPids(service.url);
  const load = await startLoad(service.url, 'first', 12);
  writeFileSync(list, `${bundledModel} alias=second\n`);
  await until('the new name answers', async () => (await statusOf('second')) === 200);
  const gone = await ask(service.url, 'first', [[101, 102]]);
  expect([gone.status, gone.body.error?.code]).toEqual([404, 'model_not_found']);
  const answers = await Promise.all(load);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  const [again, before] = [await ask(service.url, 'second', distinctInputs(3, 16)), answers[3]];
  const difference = again.body.data?.map(({ embedding }, row) =>
    Math.max(...embedding.map((value, at) => Math.abs(value - (before?.body.data?.[row]?.embedding[at] ?? NaN)))),
  );
  expect(Math.max(...(difference ?? [NaN]))).toBeLessThanOrEqual(1e-6);
  expect(await runnerPids(service.url)).toEqual(runners); // the same model under another name is not loaded again
});

test('a bad line is logged with its number, and the last good list stays', async () => {
  writeFileSync(list, `${bundledModel} alias=third\nno-id-at-all dtype=float99\n`);
  await until('the log names line 2', () => service.log.some((line) => line.includes('line 2: ')));
  expect([await statusOf('second'), await statusOf('third')]).toEqual([200, 404]);
});

test('a model taken off the list answers what it has accepted, then its runners end', async () => {
  const runners = await runnerPids(service.url);
  const load = await startLoad(service.url, 'second', 12);
  writeFileSync(`${list}.new`, 'BAAI/bge-small-en-v1.5\n'); // replaced as a whole, as many editors do
  renameSync(`${list}.new`, list);
  await until('the model is gone', async () => (await statusOf('second')) === 404);
  const answers = await Promise.all(load);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  await until('its runners are gone', () => !runners.some(isRunning), 10);
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
});
