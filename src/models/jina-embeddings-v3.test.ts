import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ConfigFieldError } from './config-fields.ts';
import { jinaEmbeddingsV3 } from './jina-embeddings-v3.ts';
import { openModel } from './open-model.ts';

const folder = fileURLToPath(new URL('../../tests/goldens/models/tiny/jina-embeddings-v3', import.meta.url));
const config: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8'));

test('the tasks are the adapters of the config, in its order', async () => {
  expect((await openModel(folder)).tasks).toEqual([
    'retrieval.query',
    'retrieval.passage',
    'separation',
    'classification',
    'text-matching',
  ]);
  const { lora_adaptations: _, ...rest } = config;
  expect(jinaEmbeddingsV3.tasks!(jinaEmbeddingsV3.parseConfig(rest))).toEqual([]);
});

test('without a task no adapter is read, with one every matrix has it', async () => {
  const model = await openModel(folder);
  const adapters = (task?: string) =>
    model
      .compile({ pooling: 'mean', provider: 'cpu', task })
      .initializers.flatMap(({ data }) => (data.kind === 'checkpoint' ? [data.view.name] : []))
      .filter((name) => name.endsWith('lora_B'));
  expect(adapters()).toEqual([]);
  const matrices = [...model.tensors.keys()].filter((name) => name.endsWith('.lora_B'));
  expect(new Set(adapters('separation')).size).toBe(matrices.length);
  expect(matrices).toHaveLength(2 + 4 * 2);
});

test('a task that the checkpoint does not have is never taken for another', async () => {
  const model = await openModel(folder);
  expect(() => model.compile({ pooling: 'mean', provider: 'cpu', task: 'clustering' })).toThrow(/clustering/);
});

test.each<[string, unknown]>([
  ['position_embedding_type', 'absolute'],
  ['lora_adaptations', 'retrieval.query'],
  ['lora_adaptations', ['a', 'a']],
  ['lora_adaptations', [1]],
  ['lora_rank', 0],
  ['lora_alpha', -1],
  ['rotary_emb_base', 'x'],
  ['num_attention_heads', 3],
])('%s = %j is refused by name', (field, value) => {
  const wrong = { ...config, [field]: value };
  expect(() => jinaEmbeddingsV3.parseConfig(wrong)).toThrow(ConfigFieldError);
  expect(() => jinaEmbeddingsV3.parseConfig(wrong)).toThrow(new RegExp(`Expected ${field} of config\\.json`));
});
