import type { Config } from '../config.ts';
import { batchTokensOf } from '../engine/cost-model.ts';
import { readMachine } from '../engine/machine.ts';
import { chooseResources, type Machine, type Resources } from '../engine/resources.ts';
import type { Provider } from '../graph/passes/all.ts';
import type { Precision } from '../graph/precision.ts';
import type { Model } from '../models/open-model.ts';
import { estimateMemory, type MemoryEstimate, runnerBytes } from './estimate-memory.ts';

export interface ResourceQuestion {
  readonly plan: {
    readonly model: Pick<Model, 'shape'>;
    readonly maxTokens: number;
    readonly precision: Precision;
  };
  /** Of one replica, as it is computed. */
  readonly weightBytes: number;
  readonly config: Config;
  readonly provider: Provider;
}

export interface ResourcePlan extends Resources {
  readonly machine: Machine;
  readonly memory: MemoryEstimate;
}

/** The runners, threads and memory that a model takes on this machine. */
export function planResources({ plan, weightBytes, config, provider }: ResourceQuestion): ResourcePlan {
  const machine = readMachine();
  const { replicas, threads } = chooseResources(weightBytes, machine, config);
  const memory = estimateMemory({
    weightBytes,
    replicas,
    batchTokens: config.maxBatchTokens ?? batchTokensOf(provider, plan.precision),
    maxTokens: plan.maxTokens,
    shape: plan.model.shape,
  });
  return { replicas, threads, machine, memory };
}

/** What a model takes of the memory that models share. */
export function countBytes({ replicas, memory }: Pick<ResourcePlan, 'replicas' | 'memory'>): number {
  const runs = replicas * memory.batchBytes + memory.longestBytes; // the longest text comes to one of them
  return memory.allWeightBytes + replicas * runnerBytes + runs;
}
