import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openModel } from '../../src/models/open-model.ts';
import { findMainType } from '../../src/serving/count-weights.ts';
import {
  cosine,
  type Golden,
  goldensFolder,
  loadGoldens,
  maxAbsDifference,
  readGoldenFile,
  tinyModels,
} from './goldens.ts';
import { createTestApp, tinyAllowlist, toItem, toTextItem, vectorOf } from './harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'embeddings-quantized-'));
afterAll(() => rmSync(folder, { recursive: true }));
const minilm = 'sentence-transformers/all-MiniLM-L6-v2';
const whole = loadGoldens('all-MiniLM-L6-v2', { weights: 'f16' }).filter(({ fullTokens }) => fullTokens === undefined);

/** Their matrices have sides below 32, which stay as they are: only GELU differs, by 1e-4 at most. */
const tooSmall = tinyModels.filter((name) => name.startsWith('nomic-bert'));

/*
 * Least cosines with vectors of float32, over every golden. Measured over all tiny checkpoints: 8 bit 0.99931 and a mean
 * of 0.99985 at worst, 4 bit 0.9466 and 0.9868. Their weights are random, and their 32 to 64 columns average little out.
 * MiniLM: 0.9951 and 0.99855, 0.9420 and 0.9740. The bounds leave a code or two to flip.
 */
const precisions = [
  { bits: '8bit', tiny: { each: 0.998, mean: 0.9995 }, large: { each: 0.994, mean: 0.998 } },
  { bits: '4bit', tiny: { each: 0.93, mean: 0.98 }, large: { each: 0.93, mean: 0.97 } },
] as const;

interface Comparison {
  readonly model: string;
  readonly goldens: readonly Golden[];
  readonly bounds: { readonly each: number; readonly mean: number };
  /** Whether it has anything that is quantised. */
  readonly isLarge?: boolean;
}

describe.each(precisions)('$bits', async ({ bits, tiny, large }) => {
  const options = { bitsandbytes: bits, hfHubCache: join(folder, bits) };
  const app = await createTestApp({ ...options, supportedModels: tinyAllowlist(), maxLoadedModels: '1' });
  const full = await createTestApp(options);
  afterAll(async () => {
    await app.close();
    await full.close();
  });

  async function compare(from: typeof app, { model, goldens, bounds, isLarge = true }: Comparison): Promise<void> {
    const batch = await from.embed({ model, items: goldens.map(toItem) });
    const cosines = goldens.map(({ vector }, row) => cosine(vectorOf(batch, row), vector));
    expect(Math.min(...cosines)).toBeGreaterThanOrEqual(bounds.each);
    expect(cosines.reduce((sum, value) => sum + value, 0) / cosines.length).toBeGreaterThanOrEqual(bounds.mean);
    const distance = Math.max(...goldens.map(({ vector }, row) => maxAbsDifference(vectorOf(batch, row), vector)));
    expect(distance > 3e-4, 'something was quantised').toBe(isLarge);
    for (const [row, golden] of goldens.entries()) {
      const alone = await from.embed({ model, items: [toItem(golden)] });
      expect(maxAbsDifference(vectorOf(alone), vectorOf(batch, row)), golden.text).toBeLessThanOrEqual(1e-6);
    }
  }

  test.each(tinyModels)('%s: vectors stay near those of float32, alone and in a batch', async (name) => {
    await compare(app, {
      model: `tiny/${name}`,
      goldens: loadGoldens(`tiny-${name}`),
      bounds: tiny,
      isLarge: !tooSmall.includes(name),
    });
    expect(app.catalog.get(`tiny/${name}`)).toMatchObject({ dtype: bits === '8bit' ? 'int8' : 'int4' });
  });

  test('the bundled model: vectors stay near those of float32, alone and in a batch', async () => {
    await compare(full, { model: minilm, goldens: whole, bounds: large });
  });

  test('the bundled model: a text has one vector alone and among texts of its own length', async () => {
    const texts = whole.filter(({ ids }) => ids.length > 3 && ids.length < 40).slice(0, 12);
    for (const golden of texts) {
      const embed = async (...others: readonly Golden[]): Promise<Float32Array> =>
        vectorOf(await full.embed({ model: minilm, items: [golden, ...others].map(toItem) }));
      const turned = { ids: golden.ids.with(1, golden.ids[2]!), vector: golden.vector };
      const [alone, equal] = [await embed(), await embed(turned, turned)];
      expect(maxAbsDifference(alone, equal), golden.text).toBeLessThanOrEqual(1e-6);
    }
  });

  test('an adapter of a model is quantised with it', async () => {
    const tasks = Object.keys(readGoldenFile('tiny-jina-embeddings-v3').tasks ?? {});
    expect(tasks.length).toBeGreaterThan(0);
    const supportedModels = join(folder, `tasks-${bits}.txt`);
    writeFileSync(
      supportedModels,
      tasks.map((task) => `tiny/jina-embeddings-v3 task=${task} alias=${task}\n`).join(''),
    );
    const adapted = await createTestApp({ ...options, supportedModels });
    try {
      for (const task of tasks) {
        const goldens = loadGoldens('tiny-jina-embeddings-v3', { task });
        const result = await adapted.embed({ model: task, items: goldens.map(toItem) });
        for (const [row, golden] of goldens.entries())
          expect(cosine(vectorOf(result, row), golden.vector)).toBeGreaterThanOrEqual(tiny.each);
      }
    } finally {
      await adapted.close();
    }
  });

  test('static embeddings and models with steps of their own stay near float32', async () => {
    const pipelines = {
      pooling: 'model',
      supportedModels: `${goldensFolder}models/pipelines.txt`,
      maxLoadedModels: '1',
    };
    const [quantized, floats] = [await createTestApp({ ...pipelines, ...options }), await createTestApp(pipelines)];
    try {
      for (const name of readdirSync(`${goldensFolder}models/pipeline`)) {
        const request = { model: `pipeline/${name}`, items: ['a', 'a b c d', 'hello world'].map(toTextItem) };
        const [got, expected] = [await quantized.embed(request), await floats.embed(request)];
        for (let row = 0; row < 3; row++)
          expect(cosine(vectorOf(got, row), vectorOf(expected, row)), name).toBeGreaterThanOrEqual(tiny.each);
      }
    } finally {
      await quantized.close();
      await floats.close();
    }
  });

  test('an ONNX file is refused with words', async () => {
    const supportedModels = `${goldensFolder}models/weights/supported_models.txt`;
    const files = await createTestApp({ ...options, supportedModels });
    const dtype = bits === '8bit' ? 'int8' : 'int4';
    try {
      for (const model of ['weights/onnx', 'weights/onnx-old', 'weights/onnx-sentence'])
        await expect(files.embed({ model, items: [toTextItem('a')] })).rejects.toMatchObject({
          code: 'architecture_not_supported',
          message: expect.stringContaining(
            `dtype=${dtype} is built for checkpoints, not for ONNX files; use dtype=float32`,
          ) as string,
        });
      const result = await files.embed({ model: 'weights/bin', items: loadGoldens('weights-bin').map(toItem) });
      for (const [row, golden] of loadGoldens('weights-bin').entries())
        expect(cosine(vectorOf(result, row), golden.vector)).toBeGreaterThanOrEqual(tiny.each);
    } finally {
      await files.close();
    }
  });
});

describe('float16', async () => {
  const models = await Promise.all(
    tinyModels.map(async (name) => ({
      name,
      type: findMainType(await openModel(`${goldensFolder}models/tiny/${name}`)),
    })),
  );
  const halves = models.filter(({ type }) => type === 'F16' || type === 'BF16').map(({ name }) => `tiny/${name}`);
  const others = models.filter(({ type }) => type === 'F32').map(({ name }) => `tiny/${name}`);
  const list = (names: readonly string[], dtype: string): string => {
    const file = join(folder, `${dtype}.txt`);
    writeFileSync(file, names.map((name) => `${name} dtype=${dtype}\n`).join(''));
    return file;
  };
  const open = (dtype: string) =>
    createTestApp({ supportedModels: list([...halves, ...others, minilm], dtype), modelsDir: `${goldensFolder}models`, maxLoadedModels: '1' }); // prettier-ignore
  const [stored, floats] = [await open('float16'), await open('float32')];
  afterAll(async () => {
    await stored.close();
    await floats.close();
  });

  test('there are checkpoints in both 16-bit formats, and others', () => {
    expect(new Set(models.map(({ type }) => type))).toEqual(new Set(['F16', 'BF16', 'F32']));
  });

  test.each([...halves, minilm])('%s: weights kept in 16 bits give the numbers of float32', async (model) => {
    const goldens = model === minilm ? whole : loadGoldens(model.replace('/', '-'));
    const items = goldens.map(toItem);
    const [got, expected] = [await stored.embed({ model, items }), await floats.embed({ model, items })];
    for (const row of goldens.keys())
      expect(maxAbsDifference(vectorOf(got, row), vectorOf(expected, row))).toBeLessThanOrEqual(1e-6);
    expect(stored.catalog.get(model)).toMatchObject({ dtype: 'float16' });
  });

  test('weights in other formats are refused with words', async () => {
    await expect(stored.embed({ model: others[0]!, items: [toTextItem('a')] })).rejects.toMatchObject({
      code: 'architecture_not_supported',
      message: expect.stringContaining('these are F32; use dtype=float32 or int8') as string,
    });
  });
});
