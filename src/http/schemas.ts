import { Type } from 'typebox';
import type { TSchema } from 'typebox';

const exampleModel = 'sentence-transformers/all-MiniLM-L6-v2';

/**
 * What `/openapi.json` says. These schemas document and nothing else: requests are checked by
 * `request/parse-embed-request.ts`, and answers are written by hand.
 */
export const components = [
  Type.Object(
    {
      error: Type.Object({
        message: Type.String(),
        type: Type.String(),
        param: nullable(Type.String({ description: 'The parameter at fault, such as `input[17]`' })),
        code: nullable(Type.String()),
      }),
    },
    { $id: 'Error' },
  ),
  Type.Object(
    {
      model: Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'An id that GET /v1/models lists',
        examples: [exampleModel],
      }),
      ...embedFields(),
    },
    { $id: 'EmbeddingsRequest' },
  ),
  Type.Object(embedFields(), { $id: 'DeploymentEmbeddingsRequest', description: 'The model comes from the path' }),
  Type.Object(
    {
      object: Type.Literal('list'),
      data: Type.Array(
        Type.Object({
          object: Type.Literal('embedding'),
          index: Type.Integer({ minimum: 0 }),
          embedding: Type.Union([
            Type.Array(Type.Number()),
            Type.String({ contentEncoding: 'base64', description: 'Little-endian float32' }),
          ]),
        }),
      ),
      model: Type.String(),
      usage: Type.Object({ prompt_tokens: Type.Integer({ minimum: 0 }), total_tokens: Type.Integer({ minimum: 0 }) }),
    },
    { $id: 'EmbeddingsResponse' },
  ),
  Type.Object(
    {
      id: Type.String(),
      object: Type.Literal('model'),
      created: Type.Integer(),
      owned_by: Type.String(),
      repository: Type.String({ description: 'Hugging Face id' }),
      state: Type.Enum(['available', 'loading', 'ready', 'failed']),
      pooling: Type.String({ description: 'How token vectors become one vector' }),
      declared_pooling: Type.Optional(Type.String({ description: "What the model's own files say, where it differs" })),
      architecture: Type.Optional(Type.String()),
      dimensions: Type.Optional(Type.Integer()),
      max_tokens: Type.Optional(Type.Integer()),
      weights: Type.Optional(Type.String()),
      dtype: Type.Optional(Type.String()),
      parameters: Type.Optional(Type.Integer()),
      revision: Type.Optional(Type.String()),
      replicas: Type.Optional(Type.Integer()),
      threads: Type.Optional(Type.Integer()),
      problem: Type.Optional(Type.String({ description: 'Why the last load failed' })),
    },
    { $id: 'Model' },
  ),
  Type.Object({ object: Type.Literal('list'), data: Type.Array(Type.Ref('Model#')) }, { $id: 'ModelList' }),
  Type.Object({ status: Type.Enum(['ok', 'unavailable']) }, { $id: 'Health', additionalProperties: true }),
];

const errorDescriptions: Readonly<Record<number, string>> = {
  400: 'The request is wrong; `param` names the part',
  401: 'No key of this server was sent',
  404: 'No such model',
  408: 'The request did not arrive in time',
  413: 'The body is too large',
  415: 'The body is not JSON',
  429: 'The queue is full; `Retry-After` says when to come back',
  500: 'A fault of the server',
  501: 'The model is allowed but cannot be run yet',
  503: 'The model is loading or restarting; `Retry-After` says when to come back',
};

const embeddingsNames: Readonly<Record<string, string>> = {
  '/v1/embeddings': 'createEmbedding',
  '/embeddings': 'createEmbeddingShort',
  '/openai/v1/embeddings': 'createEmbeddingAzure',
};

/** `POST /v1/embeddings` and its other names. */
export function embeddingsSchema(url: string) {
  return {
    ...api(
      'embeddings',
      embeddingsNames[url] ?? '',
      url === '/v1/embeddings' ? 'Embed texts' : 'As POST /v1/embeddings',
    ),
    body: Type.Ref('EmbeddingsRequest#'),
    response: embeddingAnswers,
  };
}

const embeddingAnswers = {
  200: answer('One vector for each input', 'EmbeddingsResponse#'),
  ...errors(400, 401, 404, 408, 413, 415, 429, 500, 501, 503),
};

export const azureSchema = {
  ...api('embeddings', 'createDeploymentEmbedding', 'The path Azure clients use'),
  params: Type.Object({ model: modelId() }),
  querystring: Type.Object({ 'api-version': Type.Optional(Type.String({ description: 'Ignored' })) }),
  body: Type.Ref('DeploymentEmbeddingsRequest#'),
  response: embeddingAnswers,
};

export const modelsSchema = {
  ...api('models', 'listModels', 'The models of the allowlist'),
  response: { 200: answer('Every model', 'ModelList#'), ...errors(401) },
};

export const modelSchema = {
  ...api('models', 'retrieveModel', 'One model'),
  params: Type.Object({ model: modelId() }),
  response: { 200: answer('The model', 'Model#'), ...errors(401, 404) },
};

export const healthSchema = (operationId: string, summary: string) => ({
  tags: ['operations'],
  operationId,
  summary,
  response: { 200: answer('Yes', 'Health#'), 503: answer('No', 'Health#') },
});

export const infoSchema = plain('operations', 'getInfo', 'Version, settings and loaded models', Type.Object({}));
export const homeSchema = plain('operations', 'getHome', 'What this is and where to go on', Type.Object({}));
export const metricsSchema = {
  tags: ['operations'],
  operationId: 'getMetrics',
  summary: 'Metrics in the text format of Prometheus',
  response: { 200: { description: 'Metrics', content: { 'text/plain': { schema: Type.String() } } } },
};
export const openApiSchema = plain('documentation', 'getOpenApi', 'This description', Type.Object({}));
export const redocSchema = {
  tags: ['documentation'],
  operationId: 'getRedoc',
  summary: 'This description as a page',
  response: { 200: { description: 'A page', content: { 'text/html': { schema: Type.String() } } } },
};

function embedFields() {
  const tokens = Type.Array(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 }), { minItems: 1 });
  const text = Type.String({ minLength: 1 });
  return {
    input: Type.Union(
      [
        text,
        Type.Array(text, { minItems: 1, maxItems: 2048 }),
        tokens,
        Type.Array(tokens, { minItems: 1, maxItems: 2048 }),
      ],
      {
        description: 'A text, texts, the token ids of one input, or the token ids of several',
        examples: ['The quick brown fox', ['First text', 'Second text']],
      },
    ),
    encoding_format: Type.Optional(nullable(Type.Enum(['float', 'base64']), { description: '`float` when absent' })),
    dimensions: Type.Optional(
      nullable(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
        description: 'Keep the first so many values',
      }),
    ),
    user: Type.Optional(Type.Unknown({ description: 'Accepted and ignored' })),
  };
}

function api(tag: string, operationId: string, summary: string) {
  return { tags: [tag], operationId, summary, security: [{}, { bearer: [] }, { apiKey: [] }] };
}

function plain(tag: string, operationId: string, summary: string, body: TSchema) {
  return { tags: [tag], operationId, summary, response: { 200: { description: summary, content: json(body) } } };
}

function modelId() {
  return Type.String({
    minLength: 1,
    description: 'The slash of an id may be raw or encoded',
    examples: [exampleModel],
  });
}

function nullable(schema: TSchema, options: Record<string, unknown> = {}) {
  return Type.Union([schema, Type.Null()], options);
}

function answer(description: string, ref: string) {
  return { description, content: json(Type.Ref(ref)) };
}

function errors(...statuses: readonly number[]) {
  return Object.fromEntries(statuses.map((status) => [status, answer(errorDescriptions[status] ?? '', 'Error#')]));
}

function json(schema: TSchema) {
  return { 'application/json': { schema } };
}
