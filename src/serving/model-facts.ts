import type { Resources } from '../engine/resources.ts';
import type { ModelCard } from '../models/model-card.ts';
import { describePooling } from '../models/pipeline/pipeline.ts';
import type { LocatedModel } from '../store/locate-model.ts';
import { countParameters, findMainType } from './count-weights.ts';
import type { ModelPlan } from './plan-model.ts';

/** What is known of a model only once it is loaded. */
export type ModelFacts = Omit<ModelCard, 'id' | 'repository' | 'state' | 'tokenIds' | 'created' | 'problem'> &
  Required<Pick<ModelCard, 'origin' | 'dtype' | 'dimensions'>>;

export interface FactSources
  extends
    Resources,
    Pick<ModelPlan, 'model' | 'maxTokens' | 'precision' | 'pipeline' | 'prompts' | 'variants' | 'variant'> {
  readonly located: LocatedModel;
}

export function toModelFacts(sources: FactSources): ModelFacts {
  const { model, located, maxTokens, precision, pipeline, prompts, variants, variant, replicas, threads } = sources;
  const pooling = describePooling(pipeline.pooling);
  const { architecture, declaredPooling } = model;
  return {
    architecture,
    dimensions: pipeline.dimensions,
    maxTokens,
    pooling,
    ...(declaredPooling === undefined || declaredPooling === pooling ? {} : { declaredPooling }),
    weights: findMainType(model),
    dtype: precision,
    parameters: countParameters(model),
    origin: located.kind,
    ...(located.revision === undefined ? {} : { revision: located.revision }),
    replicas,
    threads,
    ...(prompts.size === 0 ? {} : { prompts: [...prompts.keys()] }),
    ...(variants.length === 0 ? {} : { tasks: variants }),
    ...(variant === undefined ? {} : { task: variant }),
  };
}
