import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { bundledModelsDir, ConfigError } from './config.ts';
import { chooseProvider } from './engine/provider.ts';
import type { Embed } from './embed.ts';
import { createEmbed } from './embed.ts';
import { ServiceError } from './errors.ts';
import type { FastifyInstance } from 'fastify';
import { createMetrics } from './metrics/metrics.ts';
import type { Catalog } from './models/model-card.ts';
import { ModelHost } from './serving/model-host.ts';
import { loadServedModel } from './serving/served-model.ts';
import type { AllowlistEntry } from './store/allowlist.ts';
import { describePlaces, listPlaces } from './store/locate-model.ts';
import { AllowlistWatcher } from './store/watch-allowlist.ts';
import { readVersion } from './util/version.ts';

export interface AppOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly onProgress?: (message: string) => void;
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

/** Builds the pieces and joins them. @throws ConfigError, AllowlistError */
export async function createApp({ config, logger, onProgress = () => {} }: AppOptions): Promise<App> {
  refuseUnbuilt(config);
  const provider = chooseProvider(config.device);
  const metrics = createMetrics();

  const load = async (entry: AllowlistEntry) => {
    const places = listPlaces(entry.repository, { ...config, bundledDir: bundledModelsDir, revision: entry.revision });
    const located = places.find((place) => place.problem === undefined);
    if (located === undefined) throw new ServiceError('model_not_downloaded', { model: entry.name, places: describePlaces(places), param: 'model' });
    onProgress(`loading ${entry.name} from ${located.folder}`);
    return loadServedModel({ entry, located, config, provider, metrics, logger });
  };
  const host = new ModelHost({
    load,
    maxLoadedModels: config.maxLoadedModels,
    pooling: config.pooling,
    nowMs: () => Date.now(),
    onLoaded: (entry, seconds, loadedModels) => {
      metrics.modelsLoaded.set(loadedModels);
      metrics.modelLoadSeconds.observe({ model: entry.name }, seconds);
      onProgress(`${entry.name} is ready after ${seconds.toFixed(2)} s`);
    },
  });
  const allowlist = new AllowlistWatcher({ path: config.supportedModels, log: logger, onChange: (list) => host.setAllowlist(list) });
  host.setAllowlist(allowlist.current);

  const embed = createEmbed({ ...config, host, metrics });
  let isListening = false;
  let server: FastifyInstance | undefined;
  for (const name of config.preload) {
    void host.use(name, async () => {}).catch((error: unknown) => logger.error({ model: name, err: error }, 'preload failed'));
  }

  return {
    embed,
    catalog: host,
    listen: async () => {
      const { createHttpServer } = await import('./http/server.ts'); // the command line embeds without it
      server = await createHttpServer({
        config,
        embed,
        catalog: host,
        metrics,
        logger,
        version: readVersion(),
        health: () => {
          const preloading = config.preload.filter((name) => host.get(name)?.state === 'loading');
          return { live: true, ready: isListening && preloading.length === 0, detail: { preloading } };
        },
        info: () => ({ version: readVersion(), provider, models: host.list(), runnerPids: host.runnerPids() }),
      });
      const url = await server.listen({ host: config.host, port: config.port });
      isListening = true;
      return { url };
    },
    close: async () => {
      isListening = false; // readiness first, so that load balancers stop sending
      allowlist.close();
      await server?.close();
      await host.close();
    },
  };
}

/** Settings that cannot be honoured yet stop the start: an option dropped in silence would be a wrong answer later. */
function refuseUnbuilt(config: Config): void {
  if (config.bitsandbytes !== undefined) throw new ConfigError(`EMBEDDINGS_BITSANDBYTES=${config.bitsandbytes} is not built yet: unset it to compute in float32.`);
  if (config.cudaMemoryFraction !== undefined && config.device === 'cuda') throw new ConfigError('EMBEDDINGS_CUDA_MEMORY_FRACTION cannot be honoured: ONNX Runtime for Node offers no memory limit. Unset it, and give this service a GPU of its own.');
}
