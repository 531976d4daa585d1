import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { batchTokens, costModel } from '../engine/cost-model.ts';
import { readMachine } from '../engine/machine.ts';
import { chooseResources } from '../engine/resources.ts';
import { forkRunner } from '../engine/runner-channel.ts';
import { RunnerReplica } from '../engine/runner-replica.ts';
import { ServiceError } from '../errors.ts';
import type { PoolingName } from '../graph/layers/pooling.ts';
import { isPoolingName } from '../graph/layers/pooling.ts';
import type { Provider } from '../graph/passes/all.ts';
import { serialize } from '../graph/serialize.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { ModelCard } from '../models/model-card.ts';
import type { Model } from '../models/open-model.ts';
import { openModel, UnknownArchitectureError } from '../models/open-model.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import type { LocatedModel } from '../store/locate-model.ts';
import type { TensorIndex } from '../store/safetensors.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { countRunners } from './runner-count.ts';
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

/** What is known of a model only once it is loaded. */
export type ModelFacts = Omit<ModelCard, 'id' | 'repository' | 'state' | 'created' | 'problem'>;

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
export async function loadServedModel({
  entry,
  located,
  config,
  provider,
  metrics,
  logger,
}: LoadOptions): Promise<ServedModel> {
  const label = { model: entry.name };
  const model = open(entry, located);
  const pooling = choosePooling(entry, model, config, logger);
  const weightBytes = parametersOf(model.tensors) * 4; // computed in float32
  const { replicas, threads } = chooseResources(weightBytes, readMachine(), config);
  const maxTokens = Math.min(model.shape.maxTokens, config.maxInputTokens ?? Infinity);
  const load = {
    kind: 'load',
    model: serialize(model.compile({ pooling, provider })),
    weightsFolder: model.weightsFolder,
    threads,
    provider,
    firstPosition: model.shape.firstPosition,
  } as const;
  const readyRunners = countRunners(metrics.runners, entry.name);
  const openRunner = () => {
    let starts = 0;
    const id = Symbol();
    return new RunnerReplica({
      model: entry.name,
      load,
      limits: { maxTokens, dimensions: model.shape.hidden },
      cost: costModel(model.shape, provider),
      openChannel: forkRunner,
      startTimer: (ms, action) => {
        const timer = setTimeout(action, ms).unref();
        return () => clearTimeout(timer);
      },
      onReady: () => {
        readyRunners.up(id);
        if (starts++ > 0) logger.info(label, 'runner is back');
      },
      onCrash: (reason) => {
        readyRunners.down(id);
        metrics.runnerRestarts.inc(label);
        logger.error({ ...label, reason }, 'runner stopped; starting it again');
      },
      onGiveUp: (reason) => logger.error({ ...label, reason }, 'runner given up: it will not be started again'),
      onRun: (runMs) => metrics.runSeconds.observe(label, runMs / 1000),
    });
  };
  const first = openRunner();
  try {
    const tokenizer = await Tokenizer.load(located.folder); // while the runner starts
    await first.ready();
    // The others start only now: the first answer does not share its cores with them.
    const runners = [first, ...Array.from({ length: replicas - 1 }, openRunner)];
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
      card: {
        architecture: model.architecture,
        dimensions: model.shape.hidden,
        maxTokens,
        pooling,
        ...(model.declaredPooling !== undefined && model.declaredPooling !== pooling
          ? { declaredPooling: model.declaredPooling }
          : {}),
        weights:
          [...model.tensors.values()].find((view) => view.type.startsWith('F') || view.type === 'BF16')?.type ?? 'none',
        dtype: 'float32',
        parameters: parametersOf(model.tensors),
        ...(located.revision === undefined ? {} : { revision: located.revision }),
        replicas,
        threads,
      },
      tokenizer,
      scheduler,
      vocabulary: model.shape.vocabulary,
      maxTokens,
      runnerPids: () => runners.flatMap((runner) => runner.pid ?? []),
      close: async () => {
        if (!isClosed) metrics.modelsLoaded.dec();
        isClosed = true;
        readyRunners.close();
        await scheduler.close();
      },
    };
  } catch (error) {
    readyRunners.close();
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

/** Mean for every model unless the files of the model are to be followed. */
function choosePooling(entry: AllowlistEntry, model: Model, config: Config, logger: Logger): PoolingName {
  const declared = model.declaredPooling;
  if ((entry.pooling ?? config.pooling) === 'mean') {
    if (declared !== undefined && declared !== 'mean')
      logger.warn(
        { model: entry.name, pooling: 'mean', declared },
        'the model declares another pooling than the one used; pooling=model follows it',
      );
    return 'mean';
  }
  const notBuilt = (reason: string) => new ServiceError('architecture_not_supported', { model: entry.name, reason });
  const [step] = model.unbuiltModules;
  if (step !== undefined) throw notBuilt(`its own pipeline has a step "${step}"; pooling=mean does without it`);
  if (declared === undefined) return 'mean'; // the default of sentence-transformers too
  if (!isPoolingName(declared)) throw notBuilt(`its pooling "${declared}" is not built yet`);
  return declared;
}

function broken(entry: AllowlistEntry, error: unknown): ServiceError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ServiceError('model_broken', { model: entry.name, reason }, { cause: error });
}

function parametersOf(tensors: TensorIndex): number {
  let count = 0;
  for (const { shape, type } of tensors.values())
    if (type !== 'I64') count += shape.reduce((product, size) => product * size, 1);
  return count;
}
