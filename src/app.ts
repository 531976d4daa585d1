import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Certificate, CertificatePaths } from './access/certificate.ts';
import { followCertificate } from './access/follow-certificate.ts';
import { followKeys, type FollowedKeys } from './access/follow-keys.ts';
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
import { watchPreload, type PreloadWatch } from './serving/preload-watch.ts';
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
import type { FollowedFiles } from './util/followed-files.ts';
import { collectGarbage } from './util/collect-garbage.ts';
import { readVersion } from './util/version.ts';
import { readMachine } from './engine/machine.ts';

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
  const limits = new RateLimits({
    ...config,
    openStore: () => openLimitStore(config.redisUrl, logger),
    onLimited: (kind, caller) => metrics.rateLimited.inc({ kind, caller }),
  });
  let server: FastifyInstance | undefined;
  let keys: FollowedKeys | undefined;
  let certificate: FollowedFiles<Certificate> | undefined;
  let isClosing = false;
  let preload: PreloadWatch | undefined;

  /** Starts the loads that nobody has asked for yet; the server takes requests meanwhile. */
  const startPreload = (): PreloadWatch => {
    const preload = config.preload ?? choosePreload(allowlist.current.entries, locate);
    if (preload.length > config.maxLoadedModels)
      logger.warn(
        { preload: preload.length, maxLoadedModels: config.maxLoadedModels },
        'more models are preloaded than stay in memory',
      );
    return watchPreload({ host, names: preload, clock: realClock });
  };

  return {
    embed,
    catalog: host,
    listen: async () => {
      const onLoss = (reason: string) => logger.warn({ reason }, 'traces could not be sent; some are lost');
      tracer = await openTracer({ ...config, version: readVersion(), onLoss });
      keys = followKeys({ ...config, log: logger });
      const paths = certificatePaths(config);
      let useCertificate: (changed: Certificate) => void = () => {}; // until there is a server
      certificate = paths && followCertificate({ paths, onChange: (changed) => useCertificate(changed), log: logger });
      const watch = startPreload(); // runners start while the HTTP modules load
      preload = watch;
      // `embeddings embed` does without these.
      const [{ createHttpServer }, { listenOn }, { changeCertificate }] = await Promise.all([
        import('./http/server.ts'),
        import('./http/listen-on.ts'),
        import('./http/tls.ts'),
      ]);
      const health = () => {
        const problems = watch.problems();
        const isFine = Object.values(problems).every((names) => names.length === 0);
        const detail = { ...problems, draining: isClosing };
        return { live: true, ready: isFine && !isClosing, detail };
      };
      server = await createHttpServer({
        config,
        embed,
        catalog: host,
        limits,
        refuseEarly: (...request) => host.refuseEarly(...request),
        metrics,
        logger,
        tracer,
        version: readVersion(),
        keys,
        certificate: certificate?.current,
        health,
        isDraining: () => isClosing,
        info: () => ({ version: readVersion(), provider, models: host.listHeld(), runner_pids: host.runnerPids() }),
      });
      const created = server;
      useCertificate = (changed) => changeCertificate(created, changed);
      if (certificate !== undefined) useCertificate(certificate.current); // it may have changed meanwhile
      return { url: await listenOn(server, config) };
    },
    close: async () => {
      isClosing = true; // not ready any more, so that load balancers stop sending
      preload?.close();
      for (const followed of [allowlist, keys, certificate]) followed?.close();
      if (server !== undefined) await sleep(config.drainSeconds * 1000); // until they have all seen that
      const drained = server?.close();
      await withinSeconds(config.shutdownSeconds, drained);
      await host.close(); // what is still in flight gets shutting_down
      await withinSeconds(secondsToAnswer, drained);
      await Promise.all([tracer?.close(), limits.close()]);
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

/** Undefined for plain HTTP. Half of what TLS needs stops the start: the service must not serve without what was asked for. */
function certificatePaths({ tlsCert: cert, tlsKey: key, tlsClientCa: clientCa }: Config): CertificatePaths | undefined {
  if (cert !== undefined && key !== undefined) return { cert, key, clientCa };
  if (cert !== undefined || key !== undefined || clientCa !== undefined)
    throw new ConfigError(
      'expected both EMBEDDINGS_TLS_CERT and EMBEDDINGS_TLS_KEY where one of them or EMBEDDINGS_TLS_CLIENT_CA is set',
    );
  return undefined;
}

/** Settings that cannot be honoured yet stop the start: an option dropped in silence would be a wrong answer later. */
function refuseUnbuilt(config: Config, provider: Provider): void {
  if (config.cudaMemoryFraction !== undefined && provider === 'cuda')
    throw new ConfigError(
      'EMBEDDINGS_CUDA_MEMORY_FRACTION cannot be honoured: ONNX Runtime for Node offers no memory limit. Unset it, and give this service a GPU of its own.',
    );
}
