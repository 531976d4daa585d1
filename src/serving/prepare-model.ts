import { readMachine } from '../engine/machine.ts';
import { ServiceError } from '../errors.ts';
import { toPrecision } from '../graph/precision.ts';
import type { QuantizedGraph } from '../graph/quantize/quantize.ts';
import { listCopies } from '../quantization/bind.ts';
import { layOut } from '../quantization/layout.ts';
import { repositoryCache } from '../store/hub-cache.ts';
import { formatBytes } from '../util/format-bytes.ts';
import { countBlockSums, countParameters } from './count-weights.ts';
import type { PreparedModel } from './model-slot.ts';
import { obtainWeights } from './obtain-weights.ts';
import { broken, type ModelPlan, planModel } from './plan-model.ts';
import { countBytes, planResources } from './plan-resources.ts';
import { startServedModel, type StartOptions } from './served-model.ts';

/** Everything but the plan itself and what follows from it. */
export interface PrepareOptions extends Omit<StartOptions, 'plan' | 'parameters' | 'resources' | 'signal' | 'weights'> {
  /** For people: a line of the log, or the note beside a progress bar. */
  readonly say: (message: string) => void;
}

/**
 * Reads the files of a model.
 * @throws ServiceError `architecture_not_supported`, `model_broken`
 */
export async function prepareModel(options: PrepareOptions): Promise<PreparedModel> {
  const { entry, config, provider, say } = options;
  const plan = await planModel(options);
  const { model, precision } = plan;
  const parameters = countParameters(model);
  const precise = toPrecision(plan.graph, precision, provider);
  const weightBytes = countWeightBytes(plan, precise);
  const resources = planResources({ ...options, plan, weightBytes });
  return {
    memoryBytes: countBytes(resources),
    start: async (signal) => {
      const weights = await obtainWeights({
        ...precise,
        precision,
        weightsFolder: model.weightsFolder,
        cacheFolder: repositoryCache(config.hfHubCache, entry.repository).root,
        processes: readMachine().cores,
        onProgress: ({ doneBytes, totalBytes }) =>
          say(`quantising ${entry.name}: ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`),
        signal,
      }).catch((error: unknown) => {
        throw error instanceof ServiceError ? error : broken(entry, error);
      });
      return startServedModel({ ...options, plan, parameters, resources, weights, signal });
    },
  };
}

/** In memory, of one replica. */
function countWeightBytes({ model, precision }: ModelPlan, { graph, derivations }: QuantizedGraph): number {
  if (precision === 'float32') return countParameters(model) * Float32Array.BYTES_PER_ELEMENT;
  if (derivations.length > 0)
    return layOut([...derivations, ...listCopies(graph)], '').sizeBytes + countBlockSums(derivations);
  return [...model.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
}
