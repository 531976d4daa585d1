import type { Resources } from '../engine/resources.ts';
import type { ModelCard } from '../models/model-card.ts';
import type { Model } from '../models/open-model.ts';
import { describePooling } from '../models/pipeline/pipeline.ts';
import type { LocatedModel } from '../store/locate-model.ts';
import type { ModelPlan } from './plan-model.ts';

/** What is known of a model only once it is loaded. */
export type ModelFacts = Omit<ModelCard, 'id' | 'repository' | 'state' | 'created' | 'problem'>;

export interface FactSources
  extends Resources, Pick<ModelPlan, 'model' | 'maxTokens' | 'pipeline' | 'prompts' | 'variants'> {
  readonly located: LocatedModel;
}

export function toModelFacts(sources: FactSources): ModelFacts {
  const { model, located, maxTokens, pipeline, prompts, variants, replicas, threads } = sources;
  const pooling = describePooling(pipeline.pooling);
  const { architecture, declaredPooling } = model;
  return {
    architecture,
    dimensions: pipeline.dimensions,
    maxTokens,
    pooling,
    ...(declaredPooling === undefined || declaredPooling === pooling ? {} : { declaredPooling }),
    weights: findMainType(model),
    dtype: 'float32',
    parameters: countParameters(model),
    ...(located.revision === undefined ? {} : { revision: located.revision }),
    replicas,
    threads,
    ...(prompts.size === 0 ? {} : { prompts: [...prompts.keys()] }),
    ...(variants.length === 0 ? {} : { tasks: variants }),
  };
}

/** The format of most numbers of the weights. */
function findMainType({ tensors }: Pick<Model, 'tensors'>): string {
  const counts = new Map<string, number>();
  for (const { type, shape } of tensors.values()) {
    const numbers = shape.reduce((product, size) => product * size, 1);
    if (type !== 'I64') counts.set(type, (counts.get(type) ?? 0) + numbers);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? 'none';
}

/** Numbers in the weights; tables of whole numbers, such as position ids, are none. */
export function countParameters({ tensors }: Pick<Model, 'tensors'>): number {
  let count = 0;
  for (const { shape, type } of tensors.values()) {
    if (type !== 'I64') count += shape.reduce((product, size) => product * size, 1);
  }
  return count;
}
