import type { Config } from '../../config.ts';
import type { Provider } from '../../graph/passes/all.ts';
import { toPrecision } from '../../graph/precision.ts';
import { countWeightBytes } from '../../serving/count-weights.ts';
import type { ModelPlan } from '../../serving/plan-model.ts';
import { planResources } from '../../serving/plan-resources.ts';
import type { ResourceFacts } from './diagnosis.ts';

interface FactsQuestion {
  readonly plan: ModelPlan;
  readonly config: Config;
  readonly provider: Provider;
}

/** The runners, threads and memory that the service would take on this machine. */
export function toResourceFacts({ plan, config, provider }: FactsQuestion): ResourceFacts {
  const { model, graph, precision } = plan;
  const weightBytes = countWeightBytes(model, precision, toPrecision(graph, precision, provider));
  const { machine, ...planned } = planResources({ plan, weightBytes, config, provider });
  return { ...planned, precision, provider, cores: machine.cores, machineMemoryBytes: machine.memoryBytes };
}
