import { randomUUID } from 'node:crypto';
import type { LRUCache } from 'lru-cache';
import { batchTokensOf, costModel, slowestMsPerCost } from '../engine/cost-model.ts';
import type { Resources } from '../engine/resources.ts';
import type { OpenChannel } from '../engine/runner-channel.ts';
import { ServiceError } from '../errors.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Quarantine } from '../scheduler/quarantine.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import type { EncodeLimits } from '../tokenizer/encode-items.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { createCachedEmbed, type EmbedSequences } from './cached-embed.ts';
import type { PromptSources, PromptWish } from './choose-prompt.ts';
import { choosePrompt } from './choose-prompt.ts';
import type { ModelFacts } from './model-facts.ts';
import { toModelFacts } from './model-facts.ts';
import { createRunnerOpener } from './open-runners.ts';
import type { Weights } from './obtain-weights.ts';
import type { ModelPlan, PlanOptions } from './plan-model.ts';
import { broken } from './plan-model.ts';
import { measureAtScrape } from './scrape-gauges.ts';
import { toObserver } from './scheduler-metrics.ts';

/** A model in memory: its tokenizer, and a scheduler over its runner processes. */
export interface ServedModel {
  readonly card: ModelFacts;
  readonly tokenizer: Tokenizer;
  /** Through the scheduler, or out of the cache of results. @throws as `Scheduler.embed` does */
  readonly embed: EmbedSequences;
  /** As those of `Scheduler`. */
  readonly expect: Scheduler['expect'];
  readonly refuseEarly: Scheduler['refuseEarly'];
  readonly limits: Pick<EncodeLimits, 'maxTokens' | 'vocabulary' | 'uncountedId' | 'skipsPrompt'>;
  /** The text to put before every input. @throws ServiceError `invalid_value` */
  choosePrompt(wish: PromptWish, line: PromptSources['line']): string;
  /** Process ids of its runners. */
  runnerPids(): readonly number[];
  /** How many of them can take work now. */
  readyRunners(): number;
  /** @throws ServiceError `model_broken` when all of them have given up */
  check(): void;
  close(): Promise<void>;
}

export interface StartOptions extends PlanOptions {
  readonly plan: ModelPlan;
  readonly parameters: number;
  readonly resources: Resources;
  readonly weights: Weights;
  readonly metrics: Metrics;
  /** Undefined: nothing is traced. */
  readonly tracer: Tracer | undefined;
  readonly openChannel: OpenChannel;
  readonly quarantine?: Quarantine | undefined;
  /** How long a run may hang, in tests. */
  readonly longestPauseMs?: number | undefined;
  /** Undefined: every vector is computed. */
  readonly resultCache: LRUCache<string, Float32Array> | undefined;
  /** Ends the start: nobody needs the model any more. */
  readonly signal: AbortSignal;
}

/**
 * Starts the runners of a model and resolves when the first is ready.
 * @throws ServiceError `model_broken`
 */
export async function startServedModel(options: StartOptions): Promise<ServedModel> {
  const {
    entry,
    located,
    config,
    provider,
    plan,
    parameters,
    resources,
    weights,
    metrics,
    tracer,
    logger,
    openChannel,
    signal,
    resultCache,
    quarantine,
    longestPauseMs,
  } = options;
  const { model, pipeline, maxTokens, prompts, defaultPrompt, variants } = plan;
  const { shape } = model;
  const { replicas, threads } = resources;
  const opener = createRunnerOpener({
    model: entry.name,
    load: {
      kind: 'load',
      ...weights,
      foldsConstants: plan.precision !== 'float16',
      threads,
      provider,
      positions: shape.positions,
    },
    limits: { maxTokens, dimensions: pipeline.dimensions },
    cost: costModel(shape, provider, plan.precision),
    maxMsPerCost: slowestMsPerCost(parameters),
    longestPauseMs,
    openChannel,
    metrics,
    logger,
    slowSeconds: config.slowRequest,
  });
  const first = opener.open();
  const stop = () => void first.close();
  signal.addEventListener('abort', stop);
  const loading = Tokenizer.load(model.root, plan.textRules, entry.name); // while the runner starts
  try {
    const tokenizer = await loading;
    await first.ready();
    // The others start only now: the first answer does not share its cores with them.
    const runners = [first, ...Array.from({ length: replicas - 1 }, () => opener.open())];
    const maxBatchTokens = config.maxBatchTokens ?? batchTokensOf(provider, plan.precision);
    const card = toModelFacts({ ...plan, located, replicas, threads });
    const scheduler = new Scheduler({
      model: entry.name,
      replicas: runners,
      maxBatchTokens,
      maxQueueTokens: config.maxQueueTokens,
      nowMs: () => performance.now(),
      quarantine,
      source: sourceOf(options, card, located.revision ?? ''),
      observer: toObserver({ metrics, logger, model: entry.name, maxBatchTokens, tracer }),
    });
    metrics.modelsLoaded.inc();
    const runnerPids = () => runners.flatMap((runner) => runner.pid ?? []);
    const stopMeasuring = measureAtScrape(metrics, { model: entry.name, runnerPids, scheduler });
    const compute: EmbedSequences = (...work) => scheduler.embed(...work);
    let isClosed = false;
    return {
      card,
      tokenizer,
      embed: resultCache === undefined ? compute : withCache(compute, { ...options, card, resultCache }),
      expect: (bytes, encoding) => scheduler.expect(bytes, encoding),
      refuseEarly: (...request) => scheduler.refuseEarly(...request),
      limits: {
        maxTokens,
        vocabulary: shape.vocabulary,
        uncountedId: shape.positions.paddingId,
        skipsPrompt: !pipeline.pooling.includePrompt,
      },
      choosePrompt: (wish, line) => choosePrompt(wish, { prompts, variants, line, defaultPrompt }),
      readyRunners: () => opener.readyRunners,
      check: () => scheduler.check(),
      runnerPids,
      close: async () => {
        if (!isClosed) metrics.modelsLoaded.dec();
        isClosed = true;
        stopMeasuring();
        opener.close();
        tokenizer.close();
        await scheduler.close();
      },
    };
  } catch (error) {
    opener.close();
    await loading.then(
      (tokenizer) => tokenizer.close(),
      () => undefined, // the error that is thrown below
    );
    await first.close();
    throw error instanceof ServiceError ? error : broken(entry, error);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

interface CacheOptions extends StartOptions {
  readonly card: ModelFacts;
  readonly resultCache: LRUCache<string, Float32Array>;
}

/** Files without a commit may have changed when the model is loaded again: their results are kept for one load. */
function withCache(embed: EmbedSequences, options: CacheOptions): EmbedSequences {
  const { entry, located, card, resultCache: cache, metrics } = options;
  const source = sourceOf(options, card, located.revision ?? randomUUID());
  const label = { model: entry.name };
  return createCachedEmbed({
    cache,
    source,
    embed,
    onLookUp: ({ hits, misses }) => {
      metrics.cacheHits.inc(label, hits);
      metrics.cacheMisses.inc(label, misses);
      metrics.cacheBytes.set(cache.calculatedSize);
    },
  });
}

/** Everything but the tokens that a vector depends on. */
function sourceOf({ entry, config }: StartOptions, { dtype, task }: ModelFacts, files: string): string {
  return JSON.stringify([entry.repository, files, dtype, entry.pooling ?? config.pooling, task]);
}
