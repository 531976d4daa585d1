import { resolve } from 'node:path';
import type { Graph } from '../../graph/graph.ts';
import type { ModelPlan } from '../../serving/plan-model.ts';
import { encodeItems } from '../../tokenizer/encode-items.ts';
import type { Encoded } from '../../tokenizer/encoded.ts';
import { Tokenizer } from '../../tokenizer/tokenizer.ts';
import type { PythonOptions } from './ask-python.ts';
import { compare, type Comparison } from './compare.ts';
import type { ReadyModel } from './diagnose.ts';
import { openEmbedder } from './embedder.ts';
import { planFollowed } from './plan.ts';

/** Compared unless the user gives texts: several scripts, lengths and kinds. Short, to fit every model whole. */
const defaultTexts = [
  'The quick brown fox jumps over the lazy dog',
  'a',
  'Größe 42, Café!',
  '自然语言处理',
  'def add(a, b):\n    return a + b',
];

export interface ComparisonOptions extends PythonOptions {
  readonly texts?: readonly string[] | undefined;
}

/** Embeds texts here and with sentence-transformers on the same folder. @throws Error where there is no reference */
export async function compareModel(ready: ReadyModel, options: ComparisonOptions): Promise<Comparison> {
  const { plan, provider, tokenizer, question } = ready;
  const { model } = plan;
  const texts = options.texts ?? (await listFitting(ready));
  const encoded = await encode(tokenizer, texts, { plan, isCut: false });
  const mean = await embed(ready, model.compile({ pooling: 'mean', provider }), encoded);
  const pipeline = await embedPipeline(ready, texts);
  const asked = encoded.map(({ ids }, row) => ({ text: texts[row] ?? '', ids: [...ids] }));
  const [folder, root] = [resolve(question.folder), resolve(model.root)]; // a relative path could read as an id
  return compare({ folder, root, texts: asked, mean, pipeline }, options);
}

/** A small vocabulary may have no token for a script, or too many. */
async function listFitting({ tokenizer, plan }: ReadyModel): Promise<readonly string[]> {
  const fitting: string[] = [];
  for (const text of defaultTexts) {
    const { value: ids } = await tokenizer.encode([text]).next();
    if (ids !== undefined && ids.length > 0 && ids.length <= plan.maxTokens) fitting.push(text);
  }
  return fitting;
}

/** By the model's own files, as the reference does without being told anything; why not, where they are not built. */
async function embedPipeline(ready: ReadyModel, texts: readonly string[]): Promise<readonly Float32Array[] | string> {
  try {
    const plan = await planFollowed(ready.question);
    const tokenizer = await Tokenizer.load(plan.model.root, plan.textRules);
    return await embed(ready, plan.graph, await encode(tokenizer, texts, { plan, isCut: true }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function encode(
  tokenizer: Tokenizer,
  texts: readonly string[],
  { plan, isCut }: { readonly plan: ModelPlan; readonly isCut: boolean },
): Promise<readonly Encoded[]> {
  const { maxTokens, defaultPrompt, pipeline, model } = plan;
  return encodeItems(
    tokenizer,
    texts.map((text) => ({ kind: 'text', text })),
    {
      maxTokens,
      maxRequestTokens: Infinity,
      vocabulary: model.shape.vocabulary,
      truncate: isCut,
      prompt: isCut ? defaultPrompt : undefined,
      skipsPrompt: !pipeline.pooling.includePrompt,
    },
  );
}

/** One by one, as the reference does. */
async function embed(ready: ReadyModel, graph: Graph, texts: readonly Encoded[]): Promise<readonly Float32Array[]> {
  const embedder = await openEmbedder({ ...ready, model: ready.plan.model, graph });
  try {
    const vectors: Float32Array[] = [];
    for (const text of texts) vectors.push(...(await embedder.embed([text])));
    return vectors;
  } finally {
    await embedder.close();
  }
}
