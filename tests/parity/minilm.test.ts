import { afterAll, expect, test } from 'vitest';
import { cosine, loadGoldens, maxAbsDifference } from './goldens.ts';
import { createTestApp, toItem, toTextItem, toTokenItem, vectorOf } from './harness.ts';

const model = 'sentence-transformers/all-MiniLM-L6-v2';
const goldens = loadGoldens('all-MiniLM-L6-v2', { weights: 'f16' });
const whole = goldens.filter(({ fullTokens }) => fullTokens === undefined);
const overlong = goldens.filter(({ fullTokens }) => fullTokens !== undefined);
const app = await createTestApp();
afterAll(() => app.close());

test('every golden text alone equals the reference', async () => {
  for (const golden of whole) {
    const result = await app.embed({ model, items: [toItem(golden)] });
    expect(maxAbsDifference(vectorOf(result), golden.vector), golden.text).toBeLessThanOrEqual(2e-5);
    expect(cosine(vectorOf(result), golden.vector), golden.text).toBeGreaterThan(0.999999);
    expect(result.promptTokens, golden.text).toBe(golden.ids.length);
  }
});

test('all golden texts in one request equal the reference and themselves alone', async () => {
  const batch = await app.embed({ model, items: whole.map(toItem) });
  expect(batch.promptTokens).toBe(whole.reduce((sum, { ids }) => sum + ids.length, 0));
  for (const [row, golden] of whole.entries()) {
    expect(maxAbsDifference(vectorOf(batch, row), golden.vector), golden.text).toBeLessThanOrEqual(2e-5);
    const alone = await app.embed({ model, items: [toItem(golden)] });
    expect(maxAbsDifference(vectorOf(batch, row), vectorOf(alone)), golden.text).toBeLessThanOrEqual(1e-6);
  }
});

test('texts keep their vectors while other requests are in flight', async () => {
  const alone = await app.embed({ model, items: [toItem(whole[0]!)] });
  const results = await Promise.all(
    whole.map((golden) => app.embed({ model, items: [toItem(whole[0]!), toItem(golden)] })),
  );
  for (const [row, golden] of whole.entries()) {
    expect(maxAbsDifference(vectorOf(results[row]!, 0), vectorOf(alone)), golden.text).toBeLessThanOrEqual(1e-6);
    expect(maxAbsDifference(vectorOf(results[row]!, 1), golden.vector), golden.text).toBeLessThanOrEqual(2e-5);
  }
});

test('the token ids of a text embed like the text', async () => {
  const result = await app.embed({ model, items: whole.map(({ ids }) => toTokenItem(ids)) });
  for (const [row, golden] of whole.entries()) {
    expect(maxAbsDifference(vectorOf(result, row), golden.vector), golden.text).toBeLessThanOrEqual(2e-5);
  }
});

test('`dimensions` is a plain slice of the whole vector', async () => {
  const result = await app.embed({ model, items: whole.slice(0, 3).map(toItem), dimensions: 7 });
  expect(result.vectors.dim).toBe(7);
  for (const [row, golden] of whole.slice(0, 3).entries()) {
    expect(maxAbsDifference(vectorOf(result, row), golden.vector.slice(0, 7))).toBeLessThanOrEqual(2e-5);
  }
});

test('a text over the length of the model is refused, naming the input', async () => {
  const items = [toTextItem('short'), toItem(overlong[0]!)];
  await expect(app.embed({ model, items })).rejects.toMatchObject({ code: 'context_length_exceeded' });
});

test('with truncation a long text is cut to 512 tokens, keeps its special tokens, and the result says so', async () => {
  const cutting = await createTestApp({ truncateInputs: 'true' });
  try {
    const result = await cutting.embed({ model, items: [toTextItem('short'), ...overlong.map(toItem)] });
    expect(result.cuts).toEqual(
      overlong.map(({ fullTokens }, index) => ({ index: index + 1, fullTokens, keptTokens: 512 })),
    );
    for (const [index, golden] of overlong.entries()) {
      expect(maxAbsDifference(vectorOf(result, index + 1), golden.vector)).toBeLessThanOrEqual(2e-5);
    }
  } finally {
    await cutting.close();
  }
});
