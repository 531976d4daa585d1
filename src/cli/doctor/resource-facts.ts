import { planResources, type ResourceQuestion } from '../../serving/plan-resources.ts';
import type { ResourceFacts } from './diagnosis.ts';
import type { WeightFacts } from './weight-facts.ts';

interface FactsQuestion extends Omit<ResourceQuestion, 'weightBytes'> {
  readonly weights: WeightFacts;
}

/** The runners, threads and memory that the service would take on this machine. */
export function toResourceFacts({ weights, ...question }: FactsQuestion): ResourceFacts {
  const { machine, ...planned } = planResources({
    ...question,
    weightBytes: weights.parameters * Float32Array.BYTES_PER_ELEMENT,
  });
  return { ...planned, provider: question.provider, cores: machine.cores, machineMemoryBytes: machine.memoryBytes };
}
