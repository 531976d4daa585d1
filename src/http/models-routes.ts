import type { FastifyInstance } from 'fastify';
import { modelNotFound } from '../errors.ts';
import { mayUse } from '../access/may-use.ts';
import type { ModelCard } from '../models/model-card.ts';
import type { HttpDeps } from './http-deps.ts';
import { modelSchema, modelsSchema } from './schemas.ts';

/** `GET /v1/models` and `GET /v1/models/{id}`; the slash of an id may be raw or encoded. */
export function registerModels(app: FastifyInstance, { catalog }: Pick<HttpDeps, 'catalog'>): void {
  app.get('/v1/models', { schema: modelsSchema }, ({ caller }) => ({
    object: 'list',
    data: catalog
      .list()
      .filter(({ id }) => mayUse(caller, id))
      .map(toModel),
  }));
  app.get<{ Params: { '*': string } }>(
    '/v1/models/*',
    { schema: modelSchema, config: { documentedAs: '/v1/models/{model}' } },
    (request) => {
      const id = request.params['*'].replace(/\/$/, '');
      const card = catalog.get(id);
      if (card === undefined || !mayUse(request.caller, card.id)) throw modelNotFound(id.slice(0, 256));
      return toModel(card);
    },
  );
}

/** OpenAI's four keys, then what we know beyond them in snake_case. */
function toModel({ id, created, ...rest }: ModelCard): Record<string, unknown> {
  const model: Record<string, unknown> = { id, object: 'model', created, owned_by: ownerOf(rest.repository) };
  for (const [name, value] of Object.entries(rest)) {
    model[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = value;
  }
  return model;
}

function ownerOf(repository: string): string {
  return repository.includes('/') ? (repository.split('/', 1)[0] ?? '') : 'library';
}
