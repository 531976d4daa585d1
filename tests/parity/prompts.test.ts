import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { EmbedRequest } from '../../src/request/embed-request.ts';
import { maxAbsDifference } from './goldens.ts';
import { createTestApp, toTextItem, toTokenItem, vectorOf } from './harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'embeddings-prompts-'));
const supportedModels = join(folder, 'list.txt');
writeFileSync(
  supportedModels,
  `pipeline/default-prompt pooling=model
pipeline/default-prompt alias=line pooling=model prompt="zebra zebra "
pipeline/default-prompt alias=mean pooling=mean
pipeline/default-prompt alias=line-task pooling=model task=document
pipeline/default-prompt alias=no-task pooling=model task=separation
pipeline/without-prompt pooling=model
pipeline/dense alias=dense-mean pooling=mean
pipeline/dense pooling=model
pipeline/router pooling=model
pipeline/router alias=router-mean pooling=mean
pipeline/router alias=router-query pooling=model task=query
`,
);
const app = await createTestApp({ supportedModels, maxLoadedModels: '20' });
afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

const text = 'the cat sat';

async function embed(model: string, fields: Partial<EmbedRequest> = {}) {
  const result = await app.embed({ model, items: [toTextItem(text)], ...fields });
  return { vector: vectorOf(result), tokens: result.promptTokens };
}

async function expectSame(a: Promise<{ vector: Float32Array }>, b: Promise<{ vector: Float32Array }>, isSame = true) {
  const difference = maxAbsDifference((await a).vector, (await b).vector);
  if (isSame) expect(difference).toBe(0);
  else expect(difference).toBeGreaterThan(1e-3);
}

test('a default prompt is used with pooling=model alone, and counts in the usage', async () => {
  const model = 'pipeline/default-prompt';
  const withPrompt = { items: [toTextItem(`find the cat: ${text}`)] };
  await expectSame(embed(model), embed('mean', withPrompt));
  expect((await embed(model)).tokens).toBe((await embed('mean', withPrompt)).tokens);
  await expectSame(embed(model), embed('mean'), false);
  expect((await embed('mean')).tokens).toBe(5);
});

test('a result says which prompt it was made with; token ids have none', async () => {
  const sourceOf = async (items: EmbedRequest['items']) => (await app.embed({ model: 'line', items })).source;
  expect(await sourceOf([toTextItem(text)])).toMatchObject({ prompt: 'zebra zebra ', origin: 'local' });
  expect(await sourceOf([toTokenItem([5, 6])])).toMatchObject({ prompt: '' });
});

test('the prompt of a line comes before the default, and what a request names before both', async () => {
  await expectSame(embed('line'), embed('mean', { items: [toTextItem(`zebra zebra ${text}`)] }));
  await expectSame(embed('line', { promptName: 'query' }), embed('pipeline/default-prompt'));
  await expectSame(embed('line', { inputType: 'passage' }), embed('mean'));
  await expectSame(embed('line-task'), embed('mean'));
  await expectSame(embed('mean', { inputType: 'search_query' }), embed('pipeline/default-prompt'));
});

test('token ids get no prompt', async () => {
  const items = [toTokenItem([2, 9, 3])];
  const result = await embed('pipeline/default-prompt', { items });
  expect(result.tokens).toBe(3);
  await expectSame(Promise.resolve(result), embed('mean', { items }));
});

test('equal tokens are pooled apart where the prompt is left out of one of them', async () => {
  const model = 'pipeline/without-prompt';
  const spelled = embed(model, { items: [toTextItem(`find the cat: ${text}`)] });
  await expectSame(embed(model, { promptName: 'query' }), spelled, false); // both at once
});

test.each([
  [{ promptName: 'passage' }, 'prompt_name', 'This model has: document, long words, query.'],
  [{ inputType: 'classification' }, 'input_type', 'This model has: document, long words, query.'],
  [{ task: 'separation' }, 'task', 'This model has: document, long words, query.'],
])('%j is refused with the names the model has', async (fields, param, words) => {
  await expect(embed('pipeline/default-prompt', fields)).rejects.toMatchObject({
    code: 'invalid_value',
    details: { param },
    message: expect.stringContaining(words),
  });
});

test('a task= that names nothing is refused when the model is used', async () => {
  await expect(embed('no-task')).rejects.toMatchObject({
    code: 'architecture_not_supported',
    message: expect.stringContaining('which has document, long words, query'),
  });
});

test('the card of a model lists its prompts and its routes', async () => {
  await embed('pipeline/router');
  expect(app.catalog.get('pipeline/router')).toMatchObject({ tasks: ['query', 'document'], dimensions: 12 });
  await embed('pipeline/default-prompt');
  expect(app.catalog.get('pipeline/default-prompt')).toMatchObject({ prompts: ['document', 'long words', 'query'] });
});

test('a route is chosen by the line or the request, and with pooling=mean there is none', async () => {
  await expectSame(embed('router-query'), embed('pipeline/router', { inputType: 'search_query' }));
  await expectSame(embed('router-query'), embed('pipeline/router'), false);
  await expectSame(embed('pipeline/router', { task: 'passage' }), embed('pipeline/router'));
  await expectSame(embed('router-mean', { task: 'query' }), embed('router-mean')); // its prompt, which is empty
  await expect(embed('router-mean', { task: 'separation' })).rejects.toMatchObject({ code: 'invalid_value' });
});

test('dimensions follow the pipeline', async () => {
  expect((await embed('dense-mean')).vector).toHaveLength(16);
  expect((await embed('pipeline/dense')).vector).toHaveLength(24);
  expect((await embed('pipeline/dense', { dimensions: 20 })).vector).toHaveLength(20);
  await expect(embed('dense-mean', { dimensions: 20 })).rejects.toMatchObject({ details: { param: 'dimensions' } });
  await expect(embed('pipeline/dense', { dimensions: 25 })).rejects.toMatchObject({ details: { param: 'dimensions' } });
});
