import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { cosine, goldensFolder, loadGoldens, maxAbsDifference } from './goldens.ts';
import { createTestApp, toItem, vectorOf } from './harness.ts';

/** The same architecture out of every kind of file, each with random weights of its own. */
const models = [
  { name: 'bin', weights: 'F16', architecture: 'bert' },
  { name: 'bin-legacy', weights: 'F16', architecture: 'bert' },
  { name: 'bin-sharded', weights: 'BF16', architecture: 'bert' },
  { name: 'bin-wrapped', weights: 'F16', architecture: 'bert' },
  { name: 'onnx', weights: 'F32', architecture: 'bert (onnx/model.onnx)' },
  { name: 'onnx-old', weights: 'F32', architecture: 'bert (model.onnx)' },
  { name: 'onnx-sentence', weights: 'F32', architecture: 'bert (onnx/model.onnx, pooled by the file)' },
] as const;

const app = await createTestApp({ supportedModels: `${goldensFolder}models/weights/supported_models.txt` });
afterAll(() => app.close());

for (const { name, weights, architecture } of models) {
  const model = `weights/${name}`;
  const goldens = loadGoldens(`weights-${name}`, { pooling: name === 'onnx-sentence' ? 'cls' : 'mean' });

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

  test(`${model}: the card says what was read`, async () => {
    await app.embed({ model, items: [toItem(goldens[0]!)] });
    expect(app.catalog.get(model)).toMatchObject({ weights, architecture, dimensions: 48, maxTokens: 81 });
  });
}

test('no two of the models have the same vectors, so each file was really read', () => {
  const vectors = models.map(
    ({ name }) => loadGoldens(`weights-${name}`, { pooling: name === 'onnx-sentence' ? 'cls' : 'mean' })[7]!.vector,
  );
  for (const [row, a] of vectors.entries())
    for (const b of vectors.slice(row + 1)) expect(maxAbsDifference(a, b)).toBeGreaterThan(1e-2);
});

/** The layout of the Hugging Face cache: every file is a link to a blob named by its hash. */
function putInCache(cache: string, model: string): void {
  const source = join(goldensFolder, 'models', model);
  const base = join(cache, `models--${model.replace('/', '--')}`);
  const commit = 'c'.repeat(40);
  for (const folder of ['refs', 'blobs', `snapshots/${commit}`]) mkdirSync(join(base, folder), { recursive: true });
  writeFileSync(join(base, 'refs', 'main'), commit);
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  for (const [index, file] of files.filter((name) => statSync(join(source, name)).isFile()).entries()) {
    const blob = join(base, 'blobs', String(index).padStart(40, 'b'));
    writeFileSync(blob, readFileSync(join(source, file)));
    const link = join(base, 'snapshots', commit, file);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(relative(dirname(link), blob), link);
  }
}

test('files of every format behind the links of the Hugging Face cache give the same vectors', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'embeddings-cache-'));
  const names = ['bin-legacy', 'bin-sharded', 'onnx', 'onnx-old'];
  for (const name of names) putInCache(cache, `weights/${name}`);
  const cached = await createTestApp({
    supportedModels: `${goldensFolder}models/weights/supported_models.txt`,
    modelsDir: join(cache, 'nothing'),
    hfHubCache: cache,
  });
  try {
    for (const name of names) {
      const goldens = loadGoldens(`weights-${name}`);
      const batch = await cached.embed({ model: `weights/${name}`, items: goldens.map(toItem) });
      for (const [row, golden] of goldens.entries())
        expect(maxAbsDifference(vectorOf(batch, row), golden.vector), name).toBeLessThanOrEqual(2e-5);
    }
  } finally {
    await cached.close();
    rmSync(cache, { recursive: true });
  }
});
