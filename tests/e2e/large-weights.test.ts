import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeLargeModel } from '../../bench/large-model.ts';
import { readTreeMemory, watchTreeMemory } from '../../bench/process-tree.ts';
import { goldensFolder } from '../parity/goldens.ts';
import { ask, type Service, startService } from './service.ts';

/** 196 MB in 16 bits, 392 in float32: large beside the processes that hold them. */
const shape = { layers: 8, hidden: 1024, heads: 16, keyHeads: 4, headSize: 64, intermediate: 3072, vocabulary: 2048 };
const model = 'large/qwen3';
const folder = mkdtempSync(join(tmpdir(), 'large-weights-'));
const list = join(folder, 'supported_models.txt');
const cache = join(folder, 'hub');
writeFileSync(list, `${model}\n`);
writeLargeModel(join(folder, model), shape, join(goldensFolder, 'models/tiny/qwen3/tokenizer.json'));
afterAll(() => rmSync(folder, { recursive: true }));

const input = [Array.from({ length: 64 }, (_, index) => (index * 37) % shape.vocabulary)];

test('4-bit weights take their size while they are loaded and after', async () => {
  const made = await measure('--bitsandbytes=4bit');
  const [file = ''] = readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) => /int4-/.test(name));
  const weightsMb = statSync(join(cache, file)).size / 2 ** 20;
  expect(weightsMb).toBeLessThan(80);
  expect(made.peakMb - made.beforeMb).toBeLessThan(weightsMb + 250); // two processes that make them
  const loaded = await measure('--bitsandbytes=4bit');
  expect(loaded.vector).toEqual(made.vector);
  expect(loaded.peakMb).toBeLessThan(loaded.afterMb + 30);
  expect(loaded.afterMb - loaded.beforeMb).toBeLessThan(weightsMb + 100);
});

test('16-bit weights that would not fit in float32 are used where they lie', async () => {
  const { vector, dtype, ownMb } = await measure('--max-model-memory=400MB');
  expect(dtype).toBe('float16');
  expect(ownMb).toBeLessThan(150); // of no file
  const float32 = await measure('--max-model-memory=4GB');
  expect(float32.dtype).toBe('float32');
  expect(Math.max(...vector.map((value, index) => Math.abs(value - float32.vector[index]!)))).toBeLessThan(1e-5);
});

interface Measured {
  readonly vector: readonly number[];
  readonly dtype: string | undefined;
  /** Of all processes: before the first request, the most up to its answer, and after it. */
  readonly beforeMb: number;
  readonly peakMb: number;
  readonly afterMb: number;
  /** After it, and no file's. */
  readonly ownMb: number;
}

async function measure(...flags: readonly string[]): Promise<Measured> {
  const settings = {
    'supported-models': list,
    'models-dir': folder,
    'hf-hub-cache': cache,
    preload: 'none',
    replicas: '1',
    'max-input-tokens': '256',
  };
  const service = await startService(
    ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    ...flags,
  );
  try {
    const before = readTreeMemory(service.pid);
    const stopWatching = watchTreeMemory(service.pid, 10);
    const { status, body } = await ask(service.url, model, input);
    const peakMb = stopWatching();
    expect(status, JSON.stringify(body)).toBe(200);
    const after = readTreeMemory(service.pid);
    return {
      vector: body.data?.[0]?.embedding ?? [],
      dtype: await readDtype(service),
      beforeMb: before.pssMb,
      peakMb,
      afterMb: after.pssMb,
      ownMb: after.anonMb,
    };
  } finally {
    service.kill('SIGTERM');
    await service.ended;
  }
}

async function readDtype({ url }: Service): Promise<string | undefined> {
  const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: { dtype?: string }[] };
  return data[0]?.dtype;
}
