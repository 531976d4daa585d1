import { tokenIdRules } from '../util/token-ids.ts';
import type { JsonSchema } from './json-schema.ts';
import { anyOf, array, integer, nullable, object, oneOfValues, oneValue, ref, string } from './json-schema.ts';

const exampleModel = 'sentence-transformers/all-MiniLM-L6-v2';

/**
 * What `/openapi.json` says. These schemas document and nothing else: requests are checked by
 * `request/parse-embed-request.ts`, and answers are written by hand.
 */
export const components: readonly JsonSchema[] = [
  object(
    {
      error: object({
        message: string(),
        type: string(),
        param: nullable(string({ description: 'The parameter at fault, such as `input[17]`' })),
        code: nullable(string()),
      }),
    },
    { $id: 'Error' },
  ),
  object(
    {
      model: string({
        minLength: 1,
        maxLength: 256,
        description: 'An id that GET /v1/models lists',
        examples: [exampleModel],
      }),
      input: inputSchema(),
    },
    { optional: embedOptions(), $id: 'EmbeddingsRequest' },
  ),
  object(
    { input: inputSchema() },
    { optional: embedOptions(), $id: 'DeploymentEmbeddingsRequest', description: 'The model comes from the path' },
  ),
  object(
    {
      object: oneValue('list'),
      data: array(
        object({
          object: oneValue('embedding'),
          index: integer({ minimum: 0 }),
          embedding: anyOf([
            array({ type: 'number' }),
            string({ contentEncoding: 'base64', description: 'Little-endian float32' }),
          ]),
        }),
      ),
      model: string(),
      usage: object({ prompt_tokens: integer({ minimum: 0 }), total_tokens: integer({ minimum: 0 }) }),
    },
    { $id: 'EmbeddingsResponse' },
  ),
  object(
    {
      id: string(),
      object: oneValue('model'),
      created: integer(),
      owned_by: string(),
      repository: string({ description: 'Hugging Face id' }),
      state: oneOfValues('available', 'downloading', 'loading', 'ready', 'failed'),
      pooling: string({ description: 'How token vectors become one vector' }),
      token_ids: oneOfValues(...tokenIdRules),
    },
    {
      optional: {
        declared_pooling: string({ description: "What the model's own files say, where it differs" }),
        architecture: string(),
        dimensions: integer(),
        max_tokens: integer(),
        weights: string(),
        dtype: string(),
        parameters: integer(),
        origin: oneOfValues('local', 'cache', 'bundled'),
        revision: string({ description: 'The commit, where the files say it' }),
        replicas: integer(),
        threads: integer(),
        prompts: array(string(), { description: 'Names for `prompt_name`' }),
        tasks: array(string(), { description: 'Adapters and routes, for `task` and `input_type`' }),
        task: string({ description: 'The adapter or route that is used' }),
        prompt: string({ description: 'The text that the allowlist puts before every input' }),
        pinned: { type: 'boolean', description: 'Kept in memory once loaded' },
        memory_bytes: integer({ description: 'Memory it takes, at most' }),
        downloaded_bytes: integer({ description: 'While it is downloaded' }),
        download_bytes: integer(),
        problem: string({ description: 'Why the last load failed' }),
      },
      $id: 'Model',
    },
  ),
  object({ object: oneValue('list'), data: array(ref('Model')) }, { $id: 'ModelList' }),
  object({ status: oneOfValues('ok', 'unavailable') }, { $id: 'Health', additionalProperties: true }),
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
  502: 'The model could not be downloaded from the hub',
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
    body: ref('EmbeddingsRequest'),
    response: embeddingAnswers,
  };
}

const embeddingAnswers = {
  200: answer('One vector for each input', 'EmbeddingsResponse'),
  ...errors(400, 401, 404, 408, 413, 415, 429, 500, 501, 502, 503),
};

export const azureSchema = {
  ...api('embeddings', 'createDeploymentEmbedding', 'The path Azure clients use'),
  params: object({ model: modelId() }),
  querystring: object({}, { optional: { 'api-version': string({ description: 'Ignored' }) } }),
  body: ref('DeploymentEmbeddingsRequest'),
  response: embeddingAnswers,
};

export const modelsSchema = {
  ...api('models', 'listModels', 'The models of the allowlist'),
  response: { 200: answer('Every model', 'ModelList'), ...errors(401) },
};

export const modelSchema = {
  ...api('models', 'retrieveModel', 'One model'),
  params: object({ model: modelId() }),
  response: { 200: answer('The model', 'Model'), ...errors(401, 404) },
};

export const healthSchema = (operationId: string, summary: string) => ({
  tags: ['operations'],
  operationId,
  summary,
  response: { 200: answer('Yes', 'Health'), 503: answer('No', 'Health') },
});

export const infoSchema = {
  ...api('operations', 'getInfo', 'Version, provider, models and runner processes'),
  response: { 200: { description: 'All of it', content: json(object({})) }, ...errors(401) },
};
export const homeSchema = plain('operations', 'getHome', 'What this is and where to go on', object({}));
export const metricsSchema = {
  tags: ['operations'],
  operationId: 'getMetrics',
  summary: 'Metrics in the text format of Prometheus',
  response: { 200: { description: 'Metrics', content: { 'text/plain': { schema: string() } } } },
};
export const openApiSchema = plain('documentation', 'getOpenApi', 'This description', object({}));
export const redocSchema = {
  tags: ['documentation'],
  operationId: 'getRedoc',
  summary: 'This description as a page',
  response: { 200: { description: 'A page', content: { 'text/html': { schema: string() } } } },
};

function inputSchema(): JsonSchema {
  const tokens = array(integer({ minimum: 0, maximum: 2 ** 31 - 1 }), { minItems: 1 });
  const text = string({ minLength: 1 });
  return anyOf(
    [text, array(text, { minItems: 1, maxItems: 2048 }), tokens, array(tokens, { minItems: 1, maxItems: 2048 })],
    {
      description: 'A text, texts, the token ids of one input, or the token ids of several',
      examples: ['The quick brown fox', ['First text', 'Second text']],
    },
  );
}

function embedOptions() {
  return {
    encoding_format: nullable(oneOfValues('float', 'base64'), { description: '`float` when absent' }),
    dimensions: nullable(integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
      description: 'Keep the first so many values',
    }),
    user: { description: 'Accepted and ignored' },
    prompt_name: nullable(name(), { description: "Put the model's prompt of that name before every text" }),
    input_type: nullable(name(), {
      description: 'What the texts are: `query`, `document` or another name the model knows',
    }),
    task: nullable(name(), { description: 'What the vectors are for: an adapter, route or prompt of the model' }),
  };
}

function name() {
  return string({ minLength: 1, maxLength: 128 });
}

function api(tag: string, operationId: string, summary: string) {
  return { tags: [tag], operationId, summary, security: [{}, { bearer: [] }, { apiKey: [] }] };
}

function plain(tag: string, operationId: string, summary: string, body: JsonSchema) {
  return { tags: [tag], operationId, summary, response: { 200: { description: summary, content: json(body) } } };
}

function modelId() {
  return string({
    minLength: 1,
    description: 'The slash of an id may be raw or encoded',
    examples: [exampleModel],
  });
}

function answer(description: string, id: string) {
  return { description, content: json(ref(id)) };
}

function errors(...statuses: readonly number[]) {
  return Object.fromEntries(statuses.map((status) => [status, answer(errorDescriptions[status] ?? '', 'Error')]));
}

function json(schema: JsonSchema) {
  return { 'application/json': { schema } };
}
