import type { Logger } from 'pino';
import type { Config } from '../../config.ts';
import type { Provider } from '../../graph/passes/all.ts';
import { describePooling } from '../../models/pipeline/pipeline.ts';
import { planModel, type ModelPlan } from '../../serving/plan-model.ts';
import type { AllowlistEntry } from '../../store/allowlist.ts';
import { readModules } from '../../store/modules.ts';
import type { LimitFacts, PoolingFacts, TensorFacts } from './diagnosis.ts';

export interface PlanQuestion {
  readonly folder: string;
  readonly config: Config;
  readonly entry: AllowlistEntry | undefined;
  readonly provider: Provider;
  readonly logger: Logger;
}

/** How the service would serve a folder under these settings. @throws ServiceError */
export async function planFolder({ folder, entry, ...options }: PlanQuestion): Promise<ModelPlan> {
  const line = entry ?? { line: 0, name: folder, repository: folder };
  return planModel({ entry: line, located: { kind: 'local', folder }, ...options });
}

/** How it would serve the folder where it follows the model's own files in everything. @throws ServiceError */
export async function planFollowed({ folder, config, provider, logger }: PlanQuestion): Promise<ModelPlan> {
  const entry = { line: 0, name: folder, repository: folder, pooling: 'model' } as const;
  return planModel({
    entry,
    located: { kind: 'local', folder },
    config: { ...config, maxInputTokens: undefined },
    provider,
    logger,
  });
}

export function toPoolingFacts({ folder, config, entry }: PlanQuestion, plan: ModelPlan): PoolingFacts {
  const { model, pipeline, prompts, variants } = plan;
  return {
    wanted: entry?.pooling ?? config.pooling,
    used: describePooling(pipeline.pooling),
    declared: model.declaredPooling ?? null,
    steps: (readModules(folder) ?? []).map(({ kind }) => kind),
    prompts: Object.fromEntries(prompts),
    defaultPrompt: model.readPrompts().fallback ?? null,
    tasks: variants,
  };
}

export function toLimitFacts({ config, entry }: PlanQuestion, { model, maxTokens }: ModelPlan): LimitFacts {
  return {
    maxTokens,
    ofModel: model.shape.maxTokens,
    declared: model.readTextSettings().maxTokens ?? null,
    configured: config.maxInputTokens ?? null,
    tokenIds: entry?.tokenIds ?? config.tokenIds,
  };
}

export function toTensorFacts({ model, graph }: ModelPlan): TensorFacts {
  const names = graph.initializers.flatMap(({ data }) => (data.kind === 'checkpoint' ? [data.view.name] : []));
  const own = new Set([...model.tensors.values()].map(({ name }) => name));
  const used = new Set(names.filter((name) => own.has(name))).size; // steps of a pipeline have weights of their own
  const notUsed = model.unusedTensors(graph);
  return { used, notNeeded: model.tensors.size - used - notUsed.length, notUsed };
}
