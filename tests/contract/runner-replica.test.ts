import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type * as CostModel from '../../src/engine/cost-model.ts';
import type * as RunnerChannel from '../../src/engine/runner-channel.ts';
import type * as RunnerReplica from '../../src/engine/runner-replica.ts';
import type * as OpenModel from '../../src/models/open-model.ts';
import { importBuilt } from '../built.ts';
import { describeEngine, maxDifference, toBatch } from './engine-contract.ts';

const folder = fileURLToPath(new URL('../goldens/models/tiny/bert', import.meta.url));

/** A real runner process on a tiny random BERT. */
async function openRunner(onCrash: (reason: string) => void = () => {}): Promise<RunnerReplica.RunnerReplica> {
  const { openModel } = await importBuilt<typeof OpenModel>('models/open-model.ts');
  const { forkRunner } = await importBuilt<typeof RunnerChannel>('engine/runner-channel.ts');
  const { costModel } = await importBuilt<typeof CostModel>('engine/cost-model.ts');
  const runner = await importBuilt<typeof RunnerReplica>('engine/runner-replica.ts');
  const { shape, compile } = await openModel(folder);
  return new runner.RunnerReplica({
    model: 'tiny/bert',
    load: {
      kind: 'load',
      graph: compile({ pooling: 'mean', provider: 'cpu' }),
      weightsFolder: folder,
      threads: 1,
      provider: 'cpu',
      positions: shape.positions,
    },
    limits: { maxTokens: shape.maxTokens, dimensions: shape.hidden },
    cost: costModel(shape, 'cpu'),
    maxMsPerCost: 1,
    openChannel: forkRunner,
    startTimer: (ms, action) => {
      const timer = setTimeout(action, ms);
      return () => clearTimeout(timer);
    },
    onCrash,
  });
}

describeEngine('a runner process', () => openRunner());

test.each(['SIGKILL', 'SIGABRT', 'SIGSEGV'] as const)(
  'a runner ended by %s comes back and computes the same',
  async (signal) => {
    const crashes: string[] = [];
    const replica = await openRunner((reason) => crashes.push(reason));
    const batch = toBatch([Int32Array.of(3, 4, 5)]);
    const before = await replica.embed(batch);
    process.kill(replica.pid ?? 0, signal);
    const during = await replica.embed(batch).catch((error: unknown) => error);
    if (during instanceof Error) expect(during).toMatchObject({ code: 'runner_crashed' });
    const after = await replica.embed(batch);
    expect(maxDifference(after.data, before.data)).toBe(0);
    expect(crashes).toEqual([`signal ${signal}`]);
    await replica.close();
  },
);

test('a runner leaves nothing in the home folder: the telemetry of ONNX Runtime is off', async () => {
  const home = process.env['HOME'];
  const folder = mkdtempSync(join(tmpdir(), 'embeddings-'));
  process.env['HOME'] = folder;
  try {
    const replica = await openRunner();
    await replica.embed(toBatch([Int32Array.of(3, 4, 5)]));
    await replica.close();
  } finally {
    if (home === undefined) delete process.env['HOME'];
    else process.env['HOME'] = home;
  }
  expect(readdirSync(folder)).toEqual([]);
});

test('a runner takes no secret of the environment along', async () => {
  process.env['HF_TOKEN'] = 'hf_secret';
  const replica = await openRunner();
  delete process.env['HF_TOKEN'];
  await replica.ready();
  const { readFileSync } = await import('node:fs');
  expect(readFileSync(`/proc/${replica.pid}/environ`, 'latin1')).not.toContain('hf_secret');
  await replica.close();
});
