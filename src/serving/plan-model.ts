import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { ServiceError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { Precision } from '../graph/precision.ts';
import type { Provider } from '../graph/passes/all.ts';
import type { Model } from '../models/open-model.ts';
import { openModel, UnknownArchitectureError } from '../models/open-model.ts';
import type { Pipeline } from '../models/pipeline/pipeline.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import type { LocatedModel } from '../store/locate-model.ts';
import type { TextRules } from '../tokenizer/text-rules.ts';
import { choosePrecision } from './choose-precision.ts';
import { choosePipeline } from './choose-pipeline.ts';
import { defaultModelMemory } from './default-model-memory.ts';
import { findName } from './find-name.ts';
import { listVariants } from './list-variants.ts';
import { countParameters } from './count-weights.ts';
import { countBytes, planResources } from './plan-resources.ts';

/** How a model will be served, known from its files before any process starts. */
export interface ModelPlan {
  readonly model: Model;
  readonly pipeline: Pipeline;
  /** In float32, whatever the precision. */
  readonly graph: Graph;
  readonly precision: Precision;
  readonly maxTokens: number;
  readonly textRules: TextRules;
  /** Of the model's files, by name. */
  readonly prompts: ReadonlyMap<string, string>;
  /** The prompt of a text for which nobody asks for one. */
  readonly defaultPrompt: string | undefined;
  /** Adapters and routes. */
  readonly variants: readonly string[];
  /** The one of them that is used. */
  readonly variant: string | undefined;
}

export interface PlanOptions {
  readonly entry: AllowlistEntry;
  readonly located: LocatedModel;
  readonly config: Config;
  readonly provider: Provider;
  readonly logger: Logger;
}

/** @throws ServiceError `architecture_not_supported`, `model_broken` */
export async function planModel(options: PlanOptions): Promise<ModelPlan> {
  const { entry } = options;
  try {
    return await plan(options);
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    if (error instanceof UnknownArchitectureError) throw notBuilt(entry, error.message);
    throw broken(entry, error);
  }
}

/** What a model that cannot be loaded is reported as. */
export function broken({ name }: AllowlistEntry, error: unknown): ServiceError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ServiceError('model_broken', { model: name, reason }, { cause: error });
}

async function plan({ entry, located, config, provider, logger }: PlanOptions): Promise<ModelPlan> {
  const model = await openModel(located.folder);
  const { shape } = model;
  const wanted = entry.pooling ?? config.pooling;
  const { named: prompts, fallback } = model.readPrompts();
  const variants = listVariants(model, wanted);
  const variant = chooseVariant(entry, variants, [...prompts.keys()]);
  const pipeline = choosePipeline({
    name: entry.name,
    model,
    wanted,
    route: variant,
    onOther: (declared) =>
      logger.warn(
        { model: entry.name, pooling: 'mean', declared },
        'the model declares another pooling than the one used; pooling=model follows it',
      ),
  });
  const graph = model.compile({ pooling: pipeline, provider, task: model.tasks.find((task) => task === variant) });
  // What the authors cut texts to and put before them is theirs to say only where their files are followed.
  const isFollowed = wanted === 'model';
  const { maxTokens: declaredTokens = Infinity, lowerCase = false } = isFollowed ? model.readTextSettings() : {};
  const maxTokens = Math.min(shape.maxTokens, declaredTokens, config.maxInputTokens ?? Infinity);
  const weightBytes = countParameters(model) * Float32Array.BYTES_PER_ELEMENT;
  const inFloat32 = planResources({ plan: { model, maxTokens, precision: 'float32' }, weightBytes, config, provider });
  const fits = countBytes(inFloat32) <= (config.maxModelMemory ?? defaultModelMemory());
  const { precision, problem } = choosePrecision({ entry, config, model, graph, fits });
  if (problem !== undefined) throw notBuilt(entry, problem);
  warnOfUnused(model.unusedTensors(graph), { model: entry.name, logger });
  return {
    model,
    pipeline,
    graph,
    precision,
    maxTokens,
    textRules: { ...shape.tokens, lowerCase },
    prompts,
    defaultPrompt: isFollowed ? fallback : undefined,
    variants,
    variant,
  };
}

/** The adapter or route that the line's task= names; the task may also be one of the prompts. */
function chooseVariant(
  entry: AllowlistEntry,
  variants: readonly string[],
  prompts: readonly string[],
): string | undefined {
  const { task } = entry;
  if (task === undefined) return undefined;
  const variant = findName(task, variants);
  if (variant !== undefined || findName(task, prompts) !== undefined) return variant;
  const names = [...new Set([...variants, ...prompts])];
  throw notBuilt(entry, `task=${task} names no task of this model, which has ${names.join(', ') || 'none'}`);
}

function warnOfUnused(names: readonly string[], { model, logger }: { model: string; logger: Logger }): void {
  if (names.length === 0) return;
  const tensors = names.slice(0, 5);
  logger.warn(
    { model, count: names.length, tensors },
    'the checkpoint holds tensors that this architecture does not use',
  );
}

function notBuilt({ name }: AllowlistEntry, reason: string): ServiceError {
  return new ServiceError('architecture_not_supported', { model: name, reason });
}
