import type { Config } from '../../config.ts';
import { batchTokens } from '../../engine/cost-model.ts';
import { readMachine } from '../../engine/machine.ts';
import { chooseResources } from '../../engine/resources.ts';
import type { Provider } from '../../graph/passes/all.ts';
import type { ModelPlan } from '../../serving/plan-model.ts';
import type { ResourceFacts } from './diagnosis.ts';
import { estimateMemory } from '../../serving/estimate-memory.ts';
import type { WeightFacts } from './weight-facts.ts';

interface ResourceQuestion {
  readonly plan: ModelPlan;
  readonly weights: WeightFacts;
  readonly config: Config;
  readonly provider: Provider;
}

/** The runners, threads and memory that the service would take on this machine. */
export function toResourceFacts({ plan, weights, config, provider }: ResourceQuestion): ResourceFacts {
  const machine = readMachine();
  const { parameters } = weights;
  const { replicas, threads } = chooseResources(parameters * Float32Array.BYTES_PER_ELEMENT, machine, config);
  const memory = estimateMemory({
    parameters,
    replicas,
    batchTokens: config.maxBatchTokens ?? batchTokens[provider],
    maxTokens: plan.maxTokens,
    shape: plan.model.shape,
  });
  return { provider, replicas, threads, cores: machine.cores, machineMemoryBytes: machine.memoryBytes, memory };
}
