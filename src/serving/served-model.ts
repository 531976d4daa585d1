import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { batchTokens, costModel, slowestMsPerCost } from '../engine/cost-model.ts';
import { readMachine } from '../engine/machine.ts';
import { chooseResources } from '../engine/resources.ts';
import { ServiceError } from '../errors.ts';
import type { Provider } from '../graph/passes/all.ts';
import { serialize } from '../graph/serialize.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Model } from '../models/open-model.ts';
import { openModel, UnknownArchitectureError } from '../models/open-model.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import type { LocatedModel } from '../store/locate-model.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { choosePooling } from './choose-pooling.ts';
import type { ModelFacts } from './model-facts.ts';
import { countParameters, toModelFacts } from './model-facts.ts';
import { createRunnerOpener } from './open-runners.ts';
import { toObserver } from './scheduler-metrics.ts';

/** A model in memory: its tokenizer, and a scheduler over its runner processes. */
export interface ServedModel {
  readonly card: ModelFacts;
  readonly tokenizer: Tokenizer;
  readonly scheduler: Scheduler;
  readonly vocabulary: number;
  readonly maxTokens: number;
  /** Process ids of its runners. */
  runnerPids(): readonly number[];
  close(): Promise<void>;
}

export interface LoadOptions {
  readonly entry: AllowlistEntry;
  readonly located: LocatedModel;
  readonly config: Config;
  readonly provider: Provider;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Loads a model from a folder and resolves when its first runner is ready.
 * @throws ServiceError `architecture_not_supported`, `model_broken`
 */
export async function loadServedModel(options: LoadOptions): Promise<ServedModel> {
  const { entry, located, config, provider, metrics, logger } = options;
  const model = open(entry, located);
  const { shape } = model;
  const pooling = choosePooling({
    name: entry.name,
    model,
    wanted: entry.pooling ?? config.pooling,
    onOther: (declared) =>
      logger.warn(
        { model: entry.name, pooling: 'mean', declared },
        'the model declares another pooling than the one used; pooling=model follows it',
      ),
  });
  const graph = model.compile({ pooling, provider });
  warnOfUnused(model.unusedTensors(graph), { model: entry.name, logger });
  const parameters = countParameters(model);
  const weightBytes = parameters * Float32Array.BYTES_PER_ELEMENT; // as it is computed
  const { replicas, threads } = chooseResources(weightBytes, readMachine(), config);
  const maxTokens = Math.min(shape.maxTokens, config.maxInputTokens ?? Infinity);
  const opener = createRunnerOpener({
    model: entry.name,
    load: {
      kind: 'load',
      model: serialize(graph),
      weightsFolder: model.weightsFolder,
      threads,
      provider,
      positions: shape.positions,
    },
    limits: { maxTokens, dimensions: shape.hidden },
    cost: costModel(shape, provider),
    maxMsPerCost: slowestMsPerCost(parameters),
    metrics,
    logger,
  });
  const first = opener.open();
  try {
    const tokenizer = await Tokenizer.load(located.folder); // while the runner starts
    await first.ready();
    // The others start only now: the first answer does not share its cores with them.
    const runners = [first, ...Array.from({ length: replicas - 1 }, () => opener.open())];
    const maxBatchTokens = config.maxBatchTokens ?? batchTokens[provider];
    const scheduler = new Scheduler({
      model: entry.name,
      replicas: runners,
      maxBatchTokens,
      maxQueueTokens: config.maxQueueTokens,
      nowMs: () => performance.now(),
      observer: toObserver(metrics, entry.name, maxBatchTokens),
    });
    metrics.modelsLoaded.inc();
    let isClosed = false;
    return {
      card: toModelFacts({ model, located, maxTokens, pooling, replicas, threads }),
      tokenizer,
      scheduler,
      vocabulary: shape.vocabulary,
      maxTokens,
      runnerPids: () => runners.flatMap((runner) => runner.pid ?? []),
      close: async () => {
        if (!isClosed) metrics.modelsLoaded.dec();
        isClosed = true;
        opener.close();
        await scheduler.close();
      },
    };
  } catch (error) {
    opener.close();
    await first.close();
    throw error instanceof ServiceError ? error : broken(entry, error);
  }
}

function open(entry: AllowlistEntry, located: LocatedModel): Model {
  const notBuilt = (reason: string) => new ServiceError('architecture_not_supported', { model: entry.name, reason });
  if (entry.dtype !== undefined && entry.dtype !== 'float32')
    throw notBuilt(`dtype=${entry.dtype} is not built yet, float32 is`);
  if (entry.task !== undefined) throw notBuilt(`task=${entry.task} is not built yet`);
  try {
    return openModel(located.folder);
  } catch (error) {
    if (error instanceof UnknownArchitectureError) throw notBuilt(error.message);
    throw broken(entry, error);
  }
}

function warnOfUnused(names: readonly string[], { model, logger }: { model: string; logger: Logger }): void {
  if (names.length === 0) return;
  const tensors = names.slice(0, 5);
  logger.warn(
    { model, count: names.length, tensors },
    'the checkpoint holds tensors that this architecture does not use',
  );
}

function broken(entry: AllowlistEntry, error: unknown): ServiceError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ServiceError('model_broken', { model: entry.name, reason }, { cause: error });
}
