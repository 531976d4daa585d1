import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { bundledModelsDir, ConfigError } from './config.ts';
import { chooseProvider } from './engine/provider.ts';
import { forkRunner, type OpenChannel } from './engine/runner-channel.ts';
import type { Embed } from './embed.ts';
import { createEmbed } from './embed.ts';
import type { Provider } from './graph/passes/all.ts';
import { createMetrics } from './metrics/metrics.ts';
import type { Catalog } from './models/model-card.ts';
import { choosePreload } from './serving/choose-preload.ts';
import { defaultModelMemory } from './serving/default-model-memory.ts';
import { createVariantFinder } from './serving/list-variants.ts';
import { realClock } from './serving/clock.ts';
import { createFetch } from './serving/fetch-model.ts';
import { createMemoryFreer } from './serving/free-memory.ts';
import { createQuietCollector } from './serving/quiet-collector.ts';
import { ModelFiles, type FetchOptions } from './serving/model-files.ts';
import { ModelHost } from './serving/model-host.ts';
import { prepareModel } from './serving/prepare-model.ts';
import { reportDownloads, reportLife, reportQuantising } from './serving/report-life.ts';
import type { AllowlistEntry } from './store/allowlist.ts';
import { Quarantine } from './scheduler/quarantine.ts';
import { downloadInChild } from './store/hub/download-in-child.ts';
import { toHub } from './store/hub/to-hub.ts';
import { describePlaces, listPlaces, locateModel } from './store/locate-model.ts';
import { followLock } from './store/follow-lock.ts';
import { findLocked, lockFilePath } from './store/lock-file.ts';
import { openTracer } from './tracing/open-tracer.ts';
import type { Tracer } from './tracing/tracer.ts';
import { watchAllowlist } from './store/watch-allowlist.ts';
import { collectGarbage } from './util/collect-garbage.ts';
import { readVersion } from './util/version.ts';
import { readMachine } from './engine/machine.ts';
import { HttpService } from './http-service.ts';

export interface AppOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly onProgress?: (message: string, about?: { readonly requestId?: string }) => void;
  /** How long a request waits for its model, instead of `config.loadWaitSeconds`. */
  readonly loadWaitSeconds?: number;
  /** Where runner processes come from. */
  readonly openChannel?: OpenChannel;
  /** How long a run may be held up before its process counts as hanging, instead of 30 s. */
  readonly longestPauseMs?: number;
}

/** The whole service in one object. */
export interface App {
  readonly embed: Embed;
  readonly catalog: Catalog;
  /** Starts HTTP. `embed` works without it. */
  listen(): Promise<{ readonly url: string }>;
  /** Lets requests in flight end, then stops every runner. */
  close(): Promise<void>;
}

/** Builds the pieces and joins them. @throws ConfigError, AllowlistError, LockFileError */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, logger, onProgress = () => {}, openChannel = forkRunner } = options;
  const { loadWaitSeconds = config.loadWaitSeconds } = options;
  const provider = chooseProvider(config.device);
  refuseUnbuilt(config, provider);
  const maxModelMemory = config.maxModelMemory ?? defaultModelMemory();
  const metrics = createMetrics();
  metrics.buildInfo.set({ version: readVersion(), provider }, 1);
  metrics.queueMaxTokens.set(config.maxQueueTokens);
  metrics.modelMemoryMaxBytes.set(maxModelMemory);
  metrics.memoryLimitBytes.set(readMachine().memoryBytes);
  let tracer: Tracer | undefined;

  const lockNow = followLock(lockFilePath(config), (error) =>
    logger.error({ reason: error.message }, 'lock file is bad, the last good one stays'),
  );
  const lockedOf = ({ repository, revision }: AllowlistEntry) => findLocked(lockNow(), repository, revision);
  const whereOf = (entry: AllowlistEntry) => ({
    ...config,
    bundledDir: bundledModelsDir,
    revision: entry.revision,
    locked: lockedOf(entry),
  });
  const locate = (entry: AllowlistEntry) => locateModel(entry.repository, whereOf(entry));
  const download = (entry: AllowlistEntry, fetching: FetchOptions) =>
    downloadInChild(entry.repository, { ...whereOf(entry), ...fetching, hub: toHub(config) });
  const resultCache =
    config.resultCache === undefined
      ? undefined
      : (await import('./serving/result-cache.ts')).createResultCache(config.resultCache); // most do without its library
  const files = new ModelFiles({
    locate,
    fetch: createFetch({
      isOffline: config.hfHubOffline,
      download,
      describePlaces: (entry) => describePlaces(listPlaces(entry.repository, whereOf(entry))),
    }),
    clock: realClock,
    observer: reportDownloads({ metrics, say: onProgress, clock: realClock }),
  });
  const collect = (): void => {
    collectGarbage().catch((error: unknown) => logger.debug({ err: error }, 'garbage could not be collected'));
  };
  const quarantine = new Quarantine(realClock);
  const onQuantising = reportQuantising({ say: onProgress, clock: realClock });
  const host = new ModelHost({
    files,
    prepare: async (entry, requestId) => {
      const located = await files.obtain(entry, requestId);
      onProgress(`loading ${entry.name} from ${located.folder}`, requestId === undefined ? {} : { requestId });
      return prepareModel({
        entry,
        located,
        config,
        provider,
        metrics,
        tracer,
        logger,
        openChannel,
        resultCache,
        quarantine,
        longestPauseMs: options.longestPauseMs,
        onQuantising,
        requestId,
      });
    },
    variantsOf: createVariantFinder(config.pooling),
    maxLoadedModels: config.maxLoadedModels,
    maxModelMemory,
    keepAlive: config.keepAlive,
    loadWaitSeconds,
    pooling: config.pooling,
    tokenIds: config.tokenIds,
    clock: realClock,
    observer: reportLife({
      logger,
      metrics,
      say: onProgress,
      freeMemory: createMemoryFreer(realClock, collect),
    }),
  });
  const allowlist = watchAllowlist({
    path: config.supportedModels,
    log: logger,
    onChange: (list) => host.setAllowlist(list),
  });
  host.setAllowlist(allowlist.current);

  const quiet = createQuietCollector({ clock: realClock, collect, residentBytes: () => process.memoryUsage.rss() });
  const compute = createEmbed({ ...config, host, metrics });
  const embed: Embed = async (...request) => {
    quiet.begin();
    try {
      return await compute(...request);
    } finally {
      quiet.end();
    }
  };
  let http: HttpService | undefined;

  /** Those that are in memory from the start on. */
  const namesToPreload = (): readonly string[] => {
    const names = config.preload ?? choosePreload(allowlist.current.entries, locate);
    if (names.length > config.maxLoadedModels)
      logger.warn(
        { preload: names.length, maxLoadedModels: config.maxLoadedModels },
        'more models are preloaded than stay in memory',
      );
    return names;
  };

  return {
    embed,
    catalog: host,
    listen: async () => {
      const onLoss = (reason: string) => logger.warn({ reason }, 'traces could not be sent; some are lost');
      tracer = await openTracer({ ...config, version: readVersion(), onLoss });
      http = new HttpService({ config, logger, metrics, tracer, host, embed, provider, preload: namesToPreload() });
      return { url: await http.listen() };
    },
    close: async () => {
      allowlist.close();
      await http?.drain();
      await host.close(); // what is still in flight gets shutting_down
      await http?.close();
      await tracer?.close();
    },
  };
}

/** Settings that cannot be honoured yet stop the start: an option dropped in silence would be a wrong answer later. */
function refuseUnbuilt(config: Config, provider: Provider): void {
  if (config.cudaMemoryFraction !== undefined && provider === 'cuda')
    throw new ConfigError(
      'EMBEDDINGS_CUDA_MEMORY_FRACTION cannot be honoured: ONNX Runtime for Node offers no memory limit. Unset it, and give this service a GPU of its own.',
    );
}
