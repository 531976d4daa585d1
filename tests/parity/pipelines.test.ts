import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import type { EmbedResult } from '../../src/embed.ts';
import { cosine, goldensFolder, maxAbsDifference, toFloats } from './goldens.ts';
import { createTestApp, toTextItem, vectorOf } from './harness.ts';

/** Made by scripts/make-goldens/pipelines.py. */
interface PipelineGoldens {
  readonly texts: readonly string[];
  readonly models: readonly {
    readonly name: string;
    readonly dim: number;
    readonly requests: readonly {
      readonly fields: { readonly prompt_name?: string; readonly input_type?: string; readonly task?: string };
      /** Of each text with its prompt, before a cut; null where the reference does not say. */
      readonly tokens: readonly number[] | null;
      /** Base64 of float32. `[text][column]` */
      readonly vectors: string;
    }[];
  }[];
}

const { texts, models } = JSON.parse(readFileSync(`${goldensFolder}pipelines.json`, 'utf8')) as PipelineGoldens;
const supportedModels = `${goldensFolder}models/pipelines.txt`;
const app = await createTestApp({ pooling: 'model', truncateInputs: 'true', maxLoadedModels: '30', supportedModels });
afterAll(() => app.close());

describe.each(models)('$name', ({ name, dim, requests }) => {
  const model = `pipeline/${name}`;
  const embed = (fields: (typeof requests)[number]['fields'], some: readonly string[]): Promise<EmbedResult> =>
    app.embed({
      model,
      items: some.map(toTextItem),
      ...(fields.prompt_name === undefined ? {} : { promptName: fields.prompt_name }),
      ...(fields.input_type === undefined ? {} : { inputType: fields.input_type }),
      ...(fields.task === undefined ? {} : { task: fields.task }),
    });

  test.each(requests)('every text alone equals the reference: $fields', async ({ fields, tokens, vectors }) => {
    for (const [row, text] of texts.entries()) {
      const expected = toFloats(vectors).subarray(row * dim, (row + 1) * dim);
      const result = await embed(fields, [text]);
      expect(result.vectors.dim).toBe(dim);
      expect(maxAbsDifference(vectorOf(result), expected), text).toBeLessThanOrEqual(2e-5);
      expect(cosine(vectorOf(result), expected), text).toBeGreaterThan(0.999999);
      const { maxTokens = 0, dimensions } = app.catalog.get(model) ?? {};
      expect(dimensions).toBe(dim);
      if (tokens !== null) expect(result.promptTokens, text).toBe(Math.min(tokens[row]!, maxTokens));
    }
  });

  test.each(requests)('every text among others equals the reference: $fields', async ({ fields, vectors }) => {
    const result = await embed(fields, texts);
    for (const [row, text] of texts.entries()) {
      const expected = toFloats(vectors).subarray(row * dim, (row + 1) * dim);
      expect(maxAbsDifference(vectorOf(result, row), expected), text).toBeLessThanOrEqual(2e-5);
    }
  });
});
