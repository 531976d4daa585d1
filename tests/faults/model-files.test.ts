import {
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRunning } from '../../bench/process-tree.ts';
import { ask, bundledModel, distinctInputs, runnerPids, startServiceIn, until } from '../e2e/service.ts';
import { tempFolder } from '../graph/temp-folder.ts';

const bundled = join(import.meta.dirname, '../../models', bundledModel);

/** A copy of the bundled model that may be spoilt. */
function copyModel(): { modelsDir: string; weights: string } {
  const modelsDir = tempFolder();
  const folder = join(modelsDir, bundledModel);
  mkdirSync(folder, { recursive: true });
  cpSync(bundled, folder, { recursive: true, dereference: true });
  return { modelsDir, weights: join(folder, 'model.safetensors') };
}

const start = (modelsDir: string) =>
  startServiceIn(
    { variables: { EMBEDDINGS_MODELS_DIR: modelsDir, EMBEDDINGS_PRELOAD: bundledModel }, isUnready: true },
    '--replicas',
    '1',
  );

const isReady = async (url: string) => (await fetch(`${url}/readyz`)).ok;

test.each([
  ['is cut short', (weights: string) => truncateSync(weights, statSync(weights).size / 2)],
  [
    'has a header that is no JSON',
    (weights: string) => {
      const file = openSync(weights, 'r+');
      writeSync(file, Buffer.from('\0\0\0\0'), 0, 4, 8);
      closeSync(file);
    },
  ],
  [
    'says its header is longer than the file',
    (weights: string) => {
      const file = openSync(weights, 'r+');
      writeSync(file, Buffer.from([255, 255, 255, 255, 255, 255, 255, 127]), 0, 8, 0);
      closeSync(file);
    },
  ],
])(
  'a model file that %s: the server lives, is not ready and says why, and is well again with the file',
  async (_, spoil) => {
    const { modelsDir, weights } = copyModel();
    const whole = `${weights}.whole`;
    cpSync(weights, whole);
    spoil(weights);
    const service = await start(modelsDir);
    const { status, body } = await ask(service.url, bundledModel, [[101, 2000, 102]]);
    // A copy that is not whole is skipped where its size tells; the next place has the bundled one.
    if (status !== 200) {
      expect([500, 501]).toContain(status);
      expect(body.error?.message).toMatch(/model\.safetensors|could not be loaded/);
      expect(await isReady(service.url)).toBe(false);
      expect((await fetch(`${service.url}/livez`)).status).toBe(200);
      renameSync(whole, weights);
      await until('the model is loaded again', () => isReady(service.url), 40);
    }
    expect((await ask(service.url, bundledModel, [[101, 2000, 102]])).status).toBe(200);
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  },
);

test('weights cut under a running model: at worst the runner dies of it, never the server; it is well again with the file', async () => {
  const { modelsDir, weights } = copyModel();
  const content = readFileSync(weights);
  const service = await start(modelsDir);
  await until('the service is ready', () => isReady(service.url));
  const [runner = 0] = await runnerPids(service.url);
  truncateSync(weights, 4096); // the runner has it mapped: reading there is SIGBUS
  const during = await ask(service.url, bundledModel, distinctInputs(5, 32));
  if (during.status !== 200)
    expect(during.body.error?.code).toMatch(/^(model_broken|runner_crashed|input_quarantined)$/);
  if (isRunning(runner)) process.kill(runner, 'SIGKILL'); // its successor must read the file
  expect((await fetch(`${service.url}/livez`)).status).toBe(200);
  await until('the server is not ready', async () => !(await isReady(service.url)));
  writeFileSync(weights, content);
  await until('the model is loaded again', () => isReady(service.url), 50);
  expect((await ask(service.url, bundledModel, distinctInputs(6, 4))).status).toBe(200);
  service.kill('SIGTERM');
  expect(await service.ended).toBe(0);
});
