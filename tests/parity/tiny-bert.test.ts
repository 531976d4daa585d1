import { afterAll, expect, test } from 'vitest';
import { cosine, goldensFolder, loadGoldens, maxAbsDifference, tinyModels } from './goldens.ts';
import { createTestApp, toItem, toTokenItem, vectorOf } from './harness.ts';

const app = await createTestApp({ supportedModels: `${goldensFolder}models/supported_models.txt` });
afterAll(() => app.close());

for (const model of tinyModels) {
  const goldens = loadGoldens(model.replace('/', '-'));

  test(`${model}: every golden alone equals the reference`, async () => {
    for (const golden of goldens) {
      const result = await app.embed({ model, items: [toItem(golden)] });
      const what = golden.text ?? `${golden.ids.length} tokens`;
      expect(maxAbsDifference(vectorOf(result), golden.vector), what).toBeLessThanOrEqual(2e-5);
      expect(cosine(vectorOf(result), golden.vector), what).toBeGreaterThan(0.999999);
      expect(result.promptTokens, what).toBe(golden.ids.length);
    }
  });

  test(`${model}: lengths 1 to 81 in one request equal the reference and themselves alone`, async () => {
    const batch = await app.embed({ model, items: goldens.map(toItem) });
    for (const [row, golden] of goldens.entries()) {
      const what = golden.text ?? `${golden.ids.length} tokens`;
      expect(maxAbsDifference(vectorOf(batch, row), golden.vector), what).toBeLessThanOrEqual(2e-5);
      const alone = await app.embed({ model, items: [toItem(golden)] });
      expect(maxAbsDifference(vectorOf(batch, row), vectorOf(alone)), what).toBeLessThanOrEqual(1e-6);
    }
  });
}

test('equal weights in F32, F16 with a prefix and BF16 give different vectors, so each format was really read', async () => {
  const [a, b, c] = ['tiny-bert', 'tiny-bert-sharded', 'tiny-bert-bf16'].map((name) => loadGoldens(name)[40]!.vector);
  expect(maxAbsDifference(a!, b!)).toBeGreaterThan(2e-5);
  expect(maxAbsDifference(a!, c!)).toBeGreaterThan(2e-5);
});

test('a token id outside the vocabulary is refused, naming the input and the position', async () => {
  for (const bad of [300, 2 ** 31 - 1, -1]) {
    const items = [toTokenItem([5]), toTokenItem([1, 2, bad])];
    await expect(app.embed({ model: 'tiny/bert', items })).rejects.toMatchObject({ code: 'token_id_out_of_range' });
  }
});

test('one token more than the model has positions is refused', async () => {
  const items = [toTokenItem(Array.from({ length: 82 }, () => 7))];
  await expect(app.embed({ model: 'tiny/bert', items })).rejects.toMatchObject({ code: 'context_length_exceeded' });
});

test('pooling=model follows the files of the model', async () => {
  const pooling = await createTestApp({
    pooling: 'model',
    supportedModels: `${goldensFolder}models/supported_models.txt`,
  });
  try {
    const cls = loadGoldens('tiny-bert-cls', { pooling: 'cls' });
    const result = await pooling.embed({ model: 'tiny/bert-cls', items: cls.map(toItem) });
    for (const [row, golden] of cls.entries()) {
      expect(maxAbsDifference(vectorOf(result, row), golden.vector)).toBeLessThanOrEqual(2e-5);
    }
  } finally {
    await pooling.close();
  }
});
