import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { bundledModelsDir, ConfigError } from './config.ts';
import { chooseProvider } from './engine/provider.ts';
import { forkRunner, type OpenChannel } from './engine/runner-channel.ts';
import type { Embed } from './embed.ts';
import { createEmbed } from './embed.ts';
import type { FastifyInstance } from 'fastify';
import type { LimitStore } from './limits/limit-store.ts';
import { RateLimits } from './limits/rate-limits.ts';
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
import { downloadInChild } from './store/hub/download-in-child.ts';
import { toHub } from './store/hub/to-hub.ts';
import { describePlaces, listPlaces, locateModel } from './store/locate-model.ts';
import { followLock } from './store/follow-lock.ts';
import { findLocked, lockFilePath } from './store/lock-file.ts';
import { AllowlistWatcher } from './store/watch-allowlist.ts';
import { collectGarbage } from './util/collect-garbage.ts';
import { readVersion } from './util/version.ts';

export interface AppOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly onProgress?: (message: string) => void;
  /** How long a request waits for its model, instead of `config.loadWaitSeconds`. */
  readonly loadWaitSeconds?: number;
  /** Where runner processes come from. */
  readonly openChannel?: OpenChannel;
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
  const metrics = createMetrics();

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
  const onQuantising = reportQuantising({ say: onProgress, clock: realClock });
  const host = new ModelHost({
    files,
    prepare: async (entry) => {
      const located = await files.obtain(entry);
      onProgress(`loading ${entry.name} from ${located.folder}`);
      return prepareModel({
        entry,
        located,
        config,
        provider,
        metrics,
        logger,
        openChannel,
        resultCache,
        onQuantising,
      });
    },
    variantsOf: createVariantFinder(config.pooling),
    maxLoadedModels: config.maxLoadedModels,
    maxModelMemory: config.maxModelMemory ?? defaultModelMemory(),
    keepAlive: config.keepAlive,
    loadWaitSeconds,
    pooling: config.pooling,
    clock: realClock,
    observer: reportLife({
      logger,
      metrics,
      say: onProgress,
      freeMemory: createMemoryFreer(realClock, collect),
    }),
  });
  const allowlist = new AllowlistWatcher({
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
  const limits = new RateLimits({
    ...config,
    openStore: () => openLimitStore(config.redisUrl, logger),
    onLimited: (kind, caller) => metrics.rateLimited.inc({ kind, caller }),
  });
  let server: FastifyInstance | undefined;
  let isClosing = false;
  let preload: readonly string[] = [];

  /** Starts the loads that nobody has asked for yet; the server takes requests meanwhile. */
  const startPreload = () => {
    preload = config.preload ?? choosePreload(allowlist.current.entries, locate);
    if (preload.length > config.maxLoadedModels)
      logger.warn(
        { preload: preload.length, maxLoadedModels: config.maxLoadedModels },
        'more models are preloaded than stay in memory',
      );
    for (const name of preload) {
      host.load(name).catch(() => {}); // the observer logs it
    }
  };

  return {
    embed,
    catalog: host,
    listen: async () => {
      startPreload(); // runners start while the HTTP modules load
      const { createHttpServer } = await import('./http/server.ts'); // `embeddings embed` does without it
      const isLoading = (name: string) => ['downloading', 'loading'].includes(host.get(name)?.state ?? '');
      const loading = () => preload.filter(isLoading);
      server = await createHttpServer({
        config,
        embed,
        catalog: host,
        limits,
        refuseEarly: (...request) => host.refuseEarly(...request),
        metrics,
        logger,
        version: readVersion(),
        health: () => ({ live: true, ready: !isClosing && loading().length === 0, detail: { loading: loading() } }),
        info: () => ({ version: readVersion(), provider, models: host.listHeld(), runner_pids: host.runnerPids() }),
      });
      return { url: await server.listen({ host: config.host, port: config.port }) };
    },
    close: async () => {
      isClosing = true; // not ready any more, so that load balancers stop sending
      allowlist.close();
      const drained = server?.close();
      await withinSeconds(config.shutdownSeconds, drained);
      await host.close(); // what is still in flight gets shutting_down
      await withinSeconds(secondsToAnswer, drained);
      await limits.close();
    },
  };
}

/** Both libraries are loaded only where a limit is in force. */
async function openLimitStore(redisUrl: string | undefined, logger: Logger): Promise<LimitStore> {
  const { openStore } = await import('./limits/open-store.ts');
  if (redisUrl === undefined) return openStore();
  const { connectRedis } = await import('./limits/connect-redis.ts');
  return openStore(await connectRedis(redisUrl, logger));
}

const secondsToAnswer = 1; // for the shutting_down answers to reach their clients

/** Resolves when `work` is done, or after `seconds`. */
async function withinSeconds(seconds: number, work: Promise<unknown> | undefined): Promise<void> {
  if (work === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** Settings that cannot be honoured yet stop the start: an option dropped in silence would be a wrong answer later. */
function refuseUnbuilt(config: Config, provider: Provider): void {
  if (config.cudaMemoryFraction !== undefined && provider === 'cuda')
    throw new ConfigError(
      'EMBEDDINGS_CUDA_MEMORY_FRACTION cannot be honoured: ONNX Runtime for Node offers no memory limit. Unset it, and give this service a GPU of its own.',
    );
}
