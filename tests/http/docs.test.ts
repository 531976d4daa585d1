import { afterAll, expect, test } from 'vitest';
import { startFake } from './fakes.ts';

const { app } = await startFake();
afterAll(() => app.close());

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, { responses: Record<string, object>; operationId?: string }>>;
  readonly components: { readonly schemas: Record<string, object> };
}

const openApi = (await app.inject('/openapi.json')).json<OpenApi>();

test.each(['/docs', '/docs/', '/redoc'])(
  '%s loads nothing from elsewhere and its policy allows nothing else',
  async (page) => {
    const { body, headers } = await app.inject(page);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval|upgrade-insecure-requests/);
    expect(policy).not.toMatch(/script-src[^;]*unsafe-inline/);

    const references = [...body.matchAll(/(?:src|href|spec-url)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(references.length).toBeGreaterThan(1);
    for (const reference of references) {
      const url = new URL(reference, `http://here${page}`);
      expect(url.host).toBe('here');
      expect((await app.inject(url.pathname)).statusCode, reference).toBe(200);
    }
    expect(body).not.toMatch(/<script(?![^>]*src=)/); // inline scripts would be blocked by the policy
  },
);

test('the pages ask this server for the description and no other for anything', async () => {
  const start = (await app.inject('/docs/static/swagger-initializer.js')).body;
  expect(start).toContain("url: resolveUrl('./json')");
  expect(start).toMatch(/validatorUrl"?: ?null/);
  expect(start.replace(/^\s*\/\/.*$/gm, '')).not.toMatch(/https?:\/\//); // a comment names an address
  expect((await app.inject('/docs/json')).json()).toEqual(openApi);
  const logo = /data:image\/svg\+xml;base64,([\w+/=]+)/.exec(start)?.[1] ?? '';
  expect(Buffer.from(logo, 'base64').toString()).toContain('>Embeddings</text>');
  const redoc = await app.inject('/redoc/redoc.standalone.js');
  expect(redoc.headers['content-type']).toContain('text/javascript');
  expect(redoc.body.length).toBeGreaterThan(500_000);
  expect(redoc.body).not.toMatch(/cdn\.redoc|(?:src|href)\s*[:=]\s*["']https?:\/\/[^"']*\.(?:svg|png|js|css)/);
});

test('the description is OpenAPI 3.1 without a dangling reference', () => {
  expect(openApi.openapi).toBe('3.1.0');
  const references = [...JSON.stringify(openApi).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(references.length).toBeGreaterThan(10);
  for (const reference of references) {
    expect(Object.keys(openApi.components.schemas)).toContain(reference.replace('#/components/schemas/', ''));
  }
});

test('every closed list of values says that they are strings', () => {
  const enums = [...JSON.stringify(openApi).matchAll(/\{[^{}]*"enum":[^{}]*\}/g)].map(([schema]) => schema);
  expect(enums.length).toBeGreaterThan(2);
  for (const schema of enums) expect(JSON.parse(schema)).toMatchObject({ type: 'string' });
});

test('every operation has an id of its own, and the ones under /v1 document their errors', () => {
  const operations = Object.entries(openApi.paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, ...operation })),
  );
  const ids = operations.map(({ operationId }) => operationId);
  expect(ids.every((id) => typeof id === 'string' && /^[a-z]+[A-Za-z]*$/.test(id))).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { path, responses } of operations) {
    if (/embeddings/.test(path))
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['400', '413', '429', '503']));
    if (path.startsWith('/v1')) expect(Object.keys(responses)).toContain('401');
  }
});
