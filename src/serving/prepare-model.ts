import { readMachine } from '../engine/machine.ts';
import { ServiceError } from '../errors.ts';
import { toPrecision } from '../graph/precision.ts';
import type { WriteProgress } from '../quantization/write-file.ts';
import { repositoryCache } from '../store/hub-cache.ts';
import { countParameters, countWeightBytes } from './count-weights.ts';
import type { PreparedModel } from './model-slot.ts';
import { obtainWeights } from './obtain-weights.ts';
import { broken, planModel } from './plan-model.ts';
import { countBytes, planResources } from './plan-resources.ts';
import { startServedModel, type StartOptions } from './served-model.ts';

/** Everything but the plan itself and what follows from it. */
export interface PrepareOptions extends Omit<StartOptions, 'plan' | 'parameters' | 'resources' | 'signal' | 'weights'> {
  /** Hears how far the weights of a model are that are made from its checkpoint. */
  readonly onQuantising: (model: string, progress: WriteProgress) => void;
  /** Of the request that wants the model, if one does. */
  readonly requestId: string | undefined;
}

/**
 * Reads the files of a model.
 * @throws ServiceError `architecture_not_supported`, `model_broken`
 */
export async function prepareModel(options: PrepareOptions): Promise<PreparedModel> {
  const { entry, config, provider, onQuantising, requestId } = options;
  const plan = await planModel(options);
  const { model, precision } = plan;
  const parameters = countParameters(model);
  const precise = toPrecision(plan.graph, precision, provider);
  const weightBytes = countWeightBytes(model, precision, precise);
  const resources = planResources({ ...options, plan, weightBytes });
  return {
    memoryBytes: countBytes(resources),
    start: async (signal) => {
      const weights = await obtainWeights({
        ...precise,
        precision,
        weightsFolder: model.weightsFolder,
        quantizedFolder: repositoryCache(config.hfHubCache, entry.repository).quantized,
        processes: readMachine().cores,
        onProgress: (progress) => onQuantising(entry.name, progress),
        signal,
        requestId,
      }).catch((error: unknown) => {
        throw error instanceof ServiceError ? error : broken(entry, error);
      });
      return startServedModel({ ...options, plan, parameters, resources, weights, signal });
    },
  };
}
