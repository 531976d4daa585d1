import { pino } from 'pino';
import type { Logger } from 'pino';
import type { FastifyInstance } from 'fastify';
import { KeyRing } from '../../src/access/key-ring.ts';
import { loadConfig } from '../../src/config.ts';
import type { SettingName } from '../../src/config.ts';
import type { Embed, VectorSource } from '../../src/embed.ts';
import { ServiceError } from '../../src/errors.ts';
import type { HttpDeps } from '../../src/http/http-deps.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import type { Catalog, ModelCard } from '../../src/models/model-card.ts';

export const fakeModel = 'acme/tiny';
export const fakeDim = 8;

const card: ModelCard = {
  id: fakeModel,
  repository: fakeModel,
  state: 'ready',
  created: 1_700_000_000,
  pooling: 'mean',
  tokenIds: 'model',
  declaredPooling: 'cls',
  maxTokens: 512,
  dimensions: fakeDim,
};

export const fakeCatalog: Catalog = {
  list: () => [card],
  get: (id) => (id === fakeModel ? card : undefined),
};

export const fakeSource: VectorSource = {
  repository: fakeModel,
  origin: 'local',
  dtype: 'float32',
  pooling: 'mean',
  prompt: '',
};

/** Row `i`, column `c` is `(i + 1) / (c + 3)`; one token for each input. */
export const fakeEmbed: Embed = async ({ model, items, dimensions }) => {
  if (model !== fakeModel) throw new ServiceError('model_not_found', { model, param: 'model' });
  const dim = dimensions ?? fakeDim;
  const data = Float32Array.from({ length: items.length * dim }, (_, i) => (Math.floor(i / dim) + 1) / ((i % dim) + 3));
  return { vectors: { data, rows: items.length, dim }, promptTokens: items.length, cuts: [], source: fakeSource };
};

export interface FakeServer {
  readonly app: FastifyInstance;
  readonly deps: HttpDeps;
  readonly logLines: Record<string, unknown>[];
}

export async function startFake(
  options: Partial<HttpDeps> & { readonly settings?: Partial<Record<SettingName, string>> } = {},
): Promise<FakeServer> {
  const { settings = {}, ...replaced } = options;
  const logLines: Record<string, unknown>[] = [];
  const logger: Logger = pino(
    { level: 'debug' },
    { write: (line: string) => logLines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const { config } = loadConfig({ env: {}, flags: settings, envFile: '/nonexistent' });
  const { apiKeys } = config;
  const deps: HttpDeps = {
    config,
    embed: fakeEmbed,
    catalog: fakeCatalog,
    metrics: createMetrics(),
    logger,
    health: () => ({ live: true, ready: true, detail: { models: 1 } }),
    info: () => ({ version: '0.0.0' }),
    version: '0.0.0',
    keys: apiKeys.length === 0 ? undefined : new KeyRing({ plain: apiKeys }),
    ...replaced,
  };
  return { app: await createHttpServer(deps), deps, logLines };
}

export function postJson(
  app: FastifyInstance,
  body: unknown,
  headers: Record<string, string> = {},
  url = '/v1/embeddings',
) {
  return app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(body),
  });
}
