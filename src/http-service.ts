import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Certificate, CertificatePaths } from './access/certificate.ts';
import { followCertificate } from './access/follow-certificate.ts';
import { followKeys, type FollowedKeys } from './access/follow-keys.ts';
import { ConfigError, type Config } from './config.ts';
import type { Embed } from './embed.ts';
import type { Provider } from './graph/passes/all.ts';
import type { LimitStore } from './limits/limit-store.ts';
import { RateLimits } from './limits/rate-limits.ts';
import type { Metrics } from './metrics/metrics.ts';
import { realClock } from './serving/clock.ts';
import type { ModelHost } from './serving/model-host.ts';
import { watchPreload, type PreloadWatch } from './serving/preload-watch.ts';
import type { Tracer } from './tracing/tracer.ts';
import type { FollowedFiles } from './util/followed-files.ts';
import { readVersion } from './util/version.ts';

export interface HttpServiceOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracer: Tracer | undefined;
  readonly host: ModelHost;
  readonly embed: Embed;
  readonly provider: Provider;
  /** Names of the models that are loaded now, which the server is ready with. */
  readonly preload: readonly string[];
}

const secondsToAnswer = 1; // for the shutting_down answers to reach their clients

/** Everything that begins and ends with serving over HTTP: keys, certificate, limits, preloaded models and the server. */
export class HttpService {
  readonly #options: HttpServiceOptions;
  readonly #keys: FollowedKeys | undefined;
  readonly #certificate: FollowedFiles<Certificate> | undefined;
  readonly #limits: RateLimits;
  readonly #preload: PreloadWatch;
  #useCertificate: (changed: Certificate) => void = () => {}; // until there is a server
  #server: FastifyInstance | undefined;
  #drained: Promise<unknown> | undefined;
  #isClosing = false;

  /** @throws ConfigError, and errors that name the bad line of a file of keys or the bad file of a certificate */
  constructor(options: HttpServiceOptions) {
    const { config, logger, metrics, host, preload } = options;
    this.#options = options;
    this.#keys = followKeys({ ...config, log: logger });
    const paths = certificatePaths(config);
    const onChange = (changed: Certificate): void => this.#useCertificate(changed);
    this.#certificate = paths && followCertificate({ paths, onChange, log: logger });
    this.#limits = new RateLimits({
      ...config,
      openStore: () => openLimitStore(config.redisUrl, logger),
      onLimited: (kind, caller) => metrics.rateLimited.inc({ kind, caller }),
    });
    this.#preload = watchPreload({ host, names: preload, clock: realClock }); // runners start while the HTTP modules load
  }

  /** Gives the address. */
  async listen(): Promise<string> {
    const { config, host, provider } = this.#options;
    // `embeddings embed` does without these.
    const [{ createHttpServer }, { listenOn }, { changeCertificate }] = await Promise.all([
      import('./http/server.ts'),
      import('./http/listen-on.ts'),
      import('./http/tls.ts'),
    ]);
    const server = await createHttpServer({
      ...this.#options,
      catalog: host,
      limits: this.#limits,
      refuseEarly: (...request) => host.refuseEarly(...request),
      version: readVersion(),
      keys: this.#keys,
      certificate: this.#certificate?.current,
      health: () => this.#health(),
      isDraining: () => this.#isClosing,
      info: () => ({ version: readVersion(), provider, models: host.listHeld(), runner_pids: host.runnerPids() }),
    });
    this.#server = server;
    this.#useCertificate = (changed) => changeCertificate(server, changed);
    if (this.#certificate !== undefined) this.#useCertificate(this.#certificate.current); // it may have changed meanwhile
    return listenOn(server, config);
  }

  /** Is not ready any more, goes on until load balancers have seen that, then takes no more connections and lets requests in flight end. */
  async drain(): Promise<void> {
    const { drainSeconds, shutdownSeconds } = this.#options.config;
    this.#isClosing = true;
    for (const followed of [this.#preload, this.#keys, this.#certificate]) followed?.close();
    if (this.#server !== undefined) await sleep(drainSeconds * 1000);
    this.#drained = this.#server?.close();
    await withinSeconds(shutdownSeconds, this.#drained);
  }

  /** Ends what is left once the models are gone. */
  async close(): Promise<void> {
    await withinSeconds(secondsToAnswer, this.#drained);
    await this.#limits.close();
  }

  #health() {
    const problems = this.#preload.problems();
    const isFine = Object.values(problems).every((names) => names.length === 0);
    return { live: true, ready: isFine && !this.#isClosing, detail: { ...problems, draining: this.#isClosing } };
  }
}

/** Both libraries are loaded only where a limit is in force. */
async function openLimitStore(redisUrl: string | undefined, logger: Logger): Promise<LimitStore> {
  const { openStore } = await import('./limits/open-store.ts');
  if (redisUrl === undefined) return openStore();
  const { connectRedis } = await import('./limits/connect-redis.ts');
  return openStore(await connectRedis(redisUrl, logger));
}

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
