import type { FastifyInstance, FastifyReply } from 'fastify';
import type { HttpDeps } from './http-deps.ts';
import { healthSchema, infoSchema } from './schemas.ts';

/** For orchestrators: never a key, and no word more than everybody may read. Logged at debug level. */
export function registerProbes(
  app: FastifyInstance,
  { health, keys, config: settings }: Pick<HttpDeps, 'health' | 'keys' | 'config'>,
): void {
  const config = { isQuiet: true };
  app.get(
    '/livez',
    { schema: healthSchema('getLivez', 'Whether the process works; restart it where not'), config },
    (_, reply) => probe(reply, health().live, {}),
  );
  app.get(
    '/readyz',
    { schema: healthSchema('getReadyz', 'Whether requests may be sent here now'), config },
    (_, reply) => {
      const { live, ready, detail } = health();
      const isOpen = keys === undefined || settings.publicRoutes.includes('health');
      return probe(reply, live && ready, isOpen ? detail : {});
    },
  );
}

/** Everything the probes are made of. */
export function registerHealth(app: FastifyInstance, { health }: Pick<HttpDeps, 'health'>): void {
  app.get(
    '/health',
    { schema: healthSchema('getHealth', 'Liveness, readiness and their details'), config: { isQuiet: true } },
    (_, reply) => {
      const { live, ready, detail } = health();
      return probe(reply, live, { live, ready, ...detail });
    },
  );
}

/** `/info` tells of folders and processes, so it needs a key where there are keys. */
export function registerInfo(app: FastifyInstance, { info }: Pick<HttpDeps, 'info'>): void {
  app.get('/info', { schema: infoSchema, config: { isQuiet: true } }, () => info());
}

function probe(reply: FastifyReply, isFine: boolean, detail: Readonly<Record<string, unknown>>): FastifyReply {
  const body = { status: isFine ? 'ok' : 'unavailable', ...detail };
  return reply
    .code(isFine ? 200 : 503)
    .header('cache-control', 'no-store')
    .send(body);
}
