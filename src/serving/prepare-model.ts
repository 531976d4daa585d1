import { batchTokens } from '../engine/cost-model.ts';
import { readMachine } from '../engine/machine.ts';
import { chooseResources } from '../engine/resources.ts';
import { estimateMemory, runnerBytes } from './estimate-memory.ts';
import { countParameters } from './model-facts.ts';
import type { PreparedModel } from './model-slot.ts';
import { planModel } from './plan-model.ts';
import { startServedModel, type StartOptions } from './served-model.ts';

/** Everything but the plan itself and what follows from it. */
export type PrepareOptions = Omit<StartOptions, 'plan' | 'parameters' | 'resources' | 'signal'>;

/**
 * Reads the files of a model.
 * @throws ServiceError `architecture_not_supported`, `model_broken`
 */
export async function prepareModel(options: PrepareOptions): Promise<PreparedModel> {
  const { config, provider } = options;
  const plan = await planModel(options);
  const { shape } = plan.model;
  const parameters = countParameters(plan.model);
  const weightBytes = parameters * Float32Array.BYTES_PER_ELEMENT; // as it is computed
  const resources = chooseResources(weightBytes, readMachine(), config);
  const { replicas } = resources;
  const memory = estimateMemory({
    parameters,
    replicas,
    batchTokens: config.maxBatchTokens ?? batchTokens[provider],
    maxTokens: plan.maxTokens,
    shape,
  });
  const runs = replicas * memory.batchBytes + memory.longestBytes; // the longest text comes to one of them
  return {
    memoryBytes: memory.allWeightBytes + replicas * runnerBytes + runs,
    start: (signal) => startServedModel({ ...options, plan, parameters, resources, signal }),
  };
}
