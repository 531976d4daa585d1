import { afterAll, expect, test } from 'vitest';
import { writeEmbedResponse } from '../../src/http/embed-response.ts';
import { openModel } from '../../src/models/open-model.ts';
import {
  cosine,
  type Golden,
  goldensFolder,
  loadGoldens,
  maxAbsDifference,
  readGoldenFile,
  tinyModels,
} from './goldens.ts';
import { createTestApp, tinyAllowlist, toItem, toTokenItem, vectorOf } from './harness.ts';

/*
 * The contract of every architecture, on each checkpoint under tests/goldens/models/tiny. A new family adds checkpoints
 * (scripts/make-goldens), no test.
 */
const app = await createTestApp({ supportedModels: tinyAllowlist(), maxLoadedModels: '1' });
afterAll(() => app.close());

function nameOf(golden: Golden): string {
  return golden.text ?? `${golden.ids.length} tokens`;
}

function expectReference(got: Float32Array, golden: Golden): void {
  expect(maxAbsDifference(got, golden.vector), nameOf(golden)).toBeLessThanOrEqual(2e-5);
  expect(cosine(got, golden.vector), nameOf(golden)).toBeGreaterThan(0.999999);
}

for (const name of tinyModels) {
  const model = `tiny/${name}`;
  const file = readGoldenFile(`tiny-${name}`);
  const goldens = loadGoldens(`tiny-${name}`);

  test(`${name}: its architecture is found and uses every tensor`, async () => {
    const opened = await openModel(`${goldensFolder}models/${model}`);
    expect(opened.architecture).toBe(file.architecture);
    expect(opened.shape.maxTokens).toBe(file.maxTokens);
    const graph = opened.compile({ pooling: 'mean', provider: 'cpu' });
    expect(opened.unusedTensors(graph)).toEqual([]);
  });

  test(`${name}: every golden alone equals the reference`, async () => {
    for (const golden of goldens) {
      const result = await app.embed({ model, items: [toItem(golden)] });
      expectReference(vectorOf(result), golden);
      expect(result.promptTokens, nameOf(golden)).toBe(golden.ids.length);
    }
  });

  test(`${name}: all goldens in one request equal the reference and themselves alone`, async () => {
    const batch = await app.embed({ model, items: goldens.map(toItem) });
    for (const [row, golden] of goldens.entries()) {
      expectReference(vectorOf(batch, row), golden);
      const alone = await app.embed({ model, items: [toItem(golden)] });
      expect(maxAbsDifference(vectorOf(batch, row), vectorOf(alone)), nameOf(golden)).toBeLessThanOrEqual(1e-6);
    }
  });

  test(`${name}: the token ids of a text embed like the text, and base64 holds the very floats`, async () => {
    const [golden] = goldens.filter(({ text }) => text !== undefined).slice(1);
    const [byText, byIds] = await Promise.all([
      app.embed({ model, items: [toItem(golden!)] }),
      app.embed({ model, items: [toTokenItem(golden!.ids)] }),
    ]);
    expect(maxAbsDifference(vectorOf(byText), vectorOf(byIds))).toBeLessThanOrEqual(1e-6);
    const body = await writeEmbedResponse({ model, encodingFormat: 'base64', result: byText });
    const { data } = JSON.parse(body.toString()) as { data: { embedding: string }[] };
    const floats = new Float32Array(Uint8Array.from(Buffer.from(data[0]!.embedding, 'base64')).buffer);
    expect([...floats]).toEqual([...vectorOf(byText)]);
  });

  test(`${name}: one token more than the model takes is refused, as is an id outside its vocabulary`, async () => {
    const long = [toTokenItem(Array.from({ length: file.maxTokens + 1 }, () => 7))];
    if (file.maxTokens <= 4096)
      await expect(app.embed({ model, items: long })).rejects.toMatchObject({ code: 'context_length_exceeded' });
    const bad = [toTokenItem([5]), toTokenItem([1, 2, 2 ** 31 - 1])];
    await expect(app.embed({ model, items: bad })).rejects.toMatchObject({ code: 'token_id_out_of_range' });
  });
}

test('pooling=model follows the files of every model', async () => {
  const followed = tinyModels.filter((name) => readGoldenFile(`tiny-${name}`).pooling !== 'mean');
  expect(followed.length).toBeGreaterThan(0);
  const following = await createTestApp({ supportedModels: tinyAllowlist(), maxLoadedModels: '1', pooling: 'model' });
  try {
    for (const name of followed) {
      const { pooling } = readGoldenFile(`tiny-${name}`);
      for (const golden of loadGoldens(`tiny-${name}`, { pooling })) {
        const result = await following.embed({ model: `tiny/${name}`, items: [toItem(golden)] });
        expectReference(vectorOf(result), golden);
      }
    }
  } finally {
    await following.close();
  }
});
