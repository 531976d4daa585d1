import type { FastifyInstance } from 'fastify';
import type { HttpDeps } from './http-deps.ts';
import { homeSchema } from './schemas.ts';

/** `GET /`: what this is and where to go on. */
export function registerHome(app: FastifyInstance, { version }: Pick<HttpDeps, 'version'>): void {
  const home = {
    name: 'embeddings',
    version,
    description: 'OpenAI-compatible text embeddings from local Hugging Face models',
    links: {
      embeddings: '/v1/embeddings',
      models: '/v1/models',
      docs: '/docs',
      redoc: '/redoc',
      openapi: '/openapi.json',
      health: '/health',
      metrics: '/metrics',
    },
  };
  app.get('/', { schema: homeSchema }, () => home);
}
