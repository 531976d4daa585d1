import { runnerBytes } from './estimate-memory.ts';
import { countParameters } from './model-facts.ts';
import type { PreparedModel } from './model-slot.ts';
import { planModel } from './plan-model.ts';
import { planResources } from './plan-resources.ts';
import { startServedModel, type StartOptions } from './served-model.ts';

/** Everything but the plan itself and what follows from it. */
export type PrepareOptions = Omit<StartOptions, 'plan' | 'parameters' | 'resources' | 'signal'>;

/**
 * Reads the files of a model.
 * @throws ServiceError `architecture_not_supported`, `model_broken`
 */
export async function prepareModel(options: PrepareOptions): Promise<PreparedModel> {
  const plan = await planModel(options);
  const parameters = countParameters(plan.model);
  const resources = planResources({ ...options, plan, parameters });
  const { replicas, memory } = resources;
  const runs = replicas * memory.batchBytes + memory.longestBytes; // the longest text comes to one of them
  return {
    memoryBytes: memory.allWeightBytes + replicas * runnerBytes + runs,
    start: (signal) => startServedModel({ ...options, plan, parameters, resources, signal }),
  };
}
