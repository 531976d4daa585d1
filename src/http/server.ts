import { fastify } from 'fastify';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { createGuards, registerCaller } from './auth.ts';
import { registerCloseConnections } from './close-connections.ts';
import { limitConnections } from './connection-limits.ts';
import { registerCors } from './cors.ts';
import { registerDocs, registerOpenApi } from './docs-routes.ts';
import { registerEmbeddings } from './embeddings-routes.ts';
import { answerClientError, registerErrors, sendError } from './error-replies.ts';
import { registerHealth, registerInfo, registerProbes } from './health-routes.ts';
import { registerHome } from './home-routes.ts';
import type { HttpDeps } from './http-deps.ts';
import { acceptJsonOnly } from './json-bodies.ts';
import { registerMetrics } from './metrics-routes.ts';
import { registerModels } from './models-routes.ts';
import { registerRateLimits } from './rate-limit.ts';
import { requestIdOf } from './request-id.ts';
import { registerTiming, setCommonHeaders } from './timing.ts';
import { maxOpenFiles } from '../util/open-files.ts';
import { withCertificate } from './tls.ts';

/** The whole HTTP surface on one Fastify instance, ready but not listening. */
export async function createHttpServer(deps: HttpDeps): Promise<FastifyInstance> {
  const app = fastify(
    withCertificate(
      deps.certificate,
      { connectionsCheckingInterval },
      {
        logger: false, // one line of our own for each request: see timing.ts
        genReqId: requestIdOf,
        bodyLimit: deps.config.maxBodyBytes,
        keepAliveTimeout: 75_000, // longer than the 60 s of common load balancers, which would otherwise hit closed sockets
        requestTimeout,
        return503OnClosing: false, // `embed` answers shutting_down with all four keys
        schemaController: { compilersFactory },
        routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 1024 },
        clientErrorHandler: (error, socket) => answerClientError(error, socket, requestTimeout / 1000),
        frameworkErrors: (error, request, reply) => {
          setCommonHeaders(request, reply); // no hook runs for addresses the router cannot read
          void sendError(error, request, reply);
        },
      },
    ),
  );

  const { maxConnections = defaultConnections() } = deps.config;
  limitConnections(app, { maxConnections, onDropped: () => deps.metrics.droppedConnections.inc() });
  acceptJsonOnly(app, deps);
  registerErrors(app, deps);
  registerTiming(app, deps);
  registerCaller(app);
  registerCloseConnections(app, deps);
  await registerCors(app, deps.config.corsOrigins);
  await registerOpenApi(app, deps.version);
  const behind = createGuards(deps);
  await app.register(
    behind('keys', (api) => {
      registerRateLimits(api, deps);
      registerEmbeddings(api, deps);
      registerModels(api, deps);
      registerInfo(api, deps);
    }),
  );
  await app.register(async (probes) => registerProbes(probes, deps)); // orchestrators send no key
  await app.register(behind('health', (health) => registerHealth(health, deps)));
  await app.register(behind('metrics', (scrape) => registerMetrics(scrape, deps)));
  await app.register(
    behind('docs', async (docs) => {
      registerHome(docs, deps);
      await registerDocs(docs);
    }),
  );
  await app.ready();
  return app;
}

// Schemas document; the parser validates by hand and vectors never pass a schema serialiser. Given at the start, or
// Fastify loads its own in 50 ms; declared as ajv's functions, of which it uses only the call.
const compilersFactory = {
  buildValidator: () => () => () => true,
  buildSerializer: () => () => JSON.stringify,
} as unknown as CompilersFactory;

type CompilersFactory = NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>;

const requestTimeout = 120_000; // for all of headers and body: 64 MB need 5 Mbit/s
const connectionsCheckingInterval = 5000; // how exact the times for headers and body are

/** Leaves the process files for models and runners. */
function defaultConnections(): number {
  const spareFiles = 256;
  return Math.max(spareFiles, Math.min(10_000, (maxOpenFiles() ?? Infinity) - spareFiles));
}
