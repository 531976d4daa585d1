import type { Resources } from '../engine/resources.ts';
import type { ModelCard } from '../models/model-card.ts';
import type { Model } from '../models/open-model.ts';
import { describePooling } from '../models/pipeline/pipeline.ts';
import type { LocatedModel } from '../store/locate-model.ts';
import type { ElementType } from '../store/safetensors.ts';
import type { ModelPlan } from './plan-model.ts';

/** What is known of a model only once it is loaded. */
export type ModelFacts = Omit<ModelCard, 'id' | 'repository' | 'state' | 'created' | 'problem'> &
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

/** The format of most numbers of the weights. */
export function findMainType(model: Pick<Model, 'tensors'>): string {
  return countByType(model).find(([type]) => type !== 'I64')?.[0] ?? 'none';
}

/** Numbers in the weights; tables of whole numbers, such as position ids, are none. */
export function countParameters(model: Pick<Model, 'tensors'>): number {
  return countByType(model).reduce((sum, [type, count]) => (type === 'I64' ? sum : sum + count), 0);
}

/** Numbers by the format they are stored in, most first. */
export function countByType({ tensors }: Pick<Model, 'tensors'>): readonly (readonly [ElementType, number])[] {
  const counts = new Map<ElementType, number>();
  for (const { type, shape } of tensors.values())
    counts.set(type, (counts.get(type) ?? 0) + shape.reduce((product, size) => product * size, 1));
  return [...counts].toSorted(([, a], [, b]) => b - a);
}
