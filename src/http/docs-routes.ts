import { readFile } from 'node:fs/promises';
import { fastifySwagger } from '@fastify/swagger';
import { fastifySwaggerUi } from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { components, openApiSchema, redocSchema } from './schemas.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The path in `/openapi.json` of a route that ends with a wildcard here. */
    documentedAs?: string;
  }
}

/** Collects the schemas of every route registered after it. */
export async function registerOpenApi(app: FastifyInstance, version: string): Promise<void> {
  for (const schema of components) app.addSchema(schema);
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Embeddings',
        version,
        description: "Local Hugging Face embedding models behind OpenAI's POST /v1/embeddings.",
      },
      tags: [{ name: 'embeddings' }, { name: 'models' }, { name: 'operations' }, { name: 'documentation' }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          apiKey: { type: 'apiKey', in: 'header', name: 'api-key' },
        },
      },
    },
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, i) => (typeof $id === 'string' ? $id : `def-${i}`),
    },
    transform: ({ schema, url, route }) => ({ schema, url: route.config?.documentedAs ?? url }),
  });
}

/** `/openapi.json`, `/docs` and `/redoc`: everything they load comes from this server, and the CSP allows no other. */
export async function registerDocs(app: FastifyInstance): Promise<void> {
  await app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    staticCSP: contentSecurityPolicy,
    uiConfig: { validatorUrl: null },
    theme: { title: 'Embeddings API' },
    logo: { type: 'image/svg+xml', content: logo },
  });
  app.get('/openapi.json', { schema: openApiSchema }, () => app.swagger());
  app.get('/redoc', { schema: redocSchema }, (_, reply) =>
    reply.headers({ 'content-security-policy': contentSecurityPolicy, 'content-type': htmlType }).send(redocPage),
  );
  let script: Promise<string> | undefined;
  app.get('/redoc/redoc.standalone.js', { schema: { hide: true } }, async (_, reply) => {
    script ??= readRedoc();
    return reply
      .headers({ 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'public, max-age=3600' })
      .send(await script);
  });
}

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'", // both pages style themselves with inline rules
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  'worker-src blob:', // the search of redoc
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

const logo = `<svg xmlns="http://www.w3.org/2000/svg" width="150" height="40" viewBox="0 0 150 40">
<text x="0" y="27" font-family="sans-serif" font-size="22" font-weight="600" fill="#fff">Embeddings</text></svg>`;

const htmlType = 'text/html; charset=utf-8';

// Relative addresses, so that the page works behind a proxy that adds a path.
const redocPage = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Embeddings API</title><meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><redoc spec-url="openapi.json"></redoc><script src="redoc/redoc.standalone.js"></script></body>
</html>
`;

const redocFiles = [
  new URL('./assets/redoc.standalone.js', import.meta.url), // where the build copies it
  new URL('../../node_modules/redoc/bundles/redoc.standalone.js', import.meta.url),
];
const redocLogo = 'https://cdn.redoc.ly/redoc/logo-mini.svg'; // the one address redoc loads from elsewhere
const emptyImage = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=';

async function readRedoc(): Promise<string> {
  let problem: unknown;
  for (const file of redocFiles) {
    try {
      return (await readFile(file, 'utf8')).replaceAll(redocLogo, emptyImage);
    } catch (error) {
      problem = error;
    }
  }
  throw new Error('redoc.standalone.js is missing: run the build', { cause: problem });
}
