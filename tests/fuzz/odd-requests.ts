import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { oddBodies, wrongBodies } from './request-bodies.ts';

/** A request that is HTTP, whatever else is wrong with it. */
export interface OddRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Whether the body goes out without its length. */
  readonly isChunked: boolean;
  /** Whether the connection is closed after half of the body. */
  readonly isCut: boolean;
}

const paths = [
  '/v1/embeddings/',
  '/v1/embeddings?a=1&a=2&__proto__[x]=1',
  '/v1/models',
  '/v1/models/__proto__',
  '/v1/models/%ff',
  `/v1/models/${'m'.repeat(5000)}`,
  '/health',
  '/metrics',
  '/docs',
  '/openapi.json',
  '/',
  '/..%2f..%2fetc/passwd',
  '/v1/completions',
];
const contentTypes = [
  'application/json; charset=utf-8',
  'application/json; charset=utf-16le',
  'application/JSON',
  'application/json,text/plain',
  'application/vnd.api+json',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=----x',
  'application/octet-stream',
  '',
];
const otherHeaders: readonly Readonly<Record<string, string>>[] = [
  {},
  { authorization: 'Bearer ' },
  { authorization: `Bearer ${'k'.repeat(9000)}` },
  { 'api-key': 'x' },
  { 'content-encoding': 'gzip' },
  { 'content-encoding': 'br' },
  { accept: 'text/event-stream' },
  { 'accept-encoding': 'gzip, br;q=0, *;q=-1' },
  { origin: 'null', 'access-control-request-method': 'POST' },
  { 'x-request-id': '../../x' },
  { 'x-request-id': 'r'.repeat(3000) },
  { expect: '100-continue' },
  { cookie: '=;=;=' },
  { 'x-stainless-retry-count': 'NaN', 'x-stainless-timeout': '-1' },
  { range: 'bytes=-1' },
  { 'x-forwarded-for': "'; drop table" },
];

/** Most go to the embeddings route with a body near what is right. */
export function oddRequests(model: string): fc.Arbitrary<OddRequest> {
  const usual = <T>(arbitrary: fc.Arbitrary<T>, value: T, weight = 9): fc.Arbitrary<T> =>
    fc.oneof({ weight, arbitrary: fc.constant(value) }, { weight: 1, arbitrary });
  return fc
    .record({
      method: usual(
        fc.constantFrom('GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND', 'QUERY'),
        'POST',
        19,
      ),
      path: usual(fc.constantFrom(...paths), '/v1/embeddings', 12),
      type: usual(fc.constantFrom(...contentTypes), 'application/json', 12),
      other: usual(fc.constantFrom(...otherHeaders), {}, 3),
      body: fc.oneof(oddBodies(model), wrongBodies(model)),
      isChunked: usual(fc.constant(true), false),
      isCut: usual(fc.constant(true), false, 40),
      isZipped: usual(fc.constant(true), false, 40),
    })
    .map(({ type, other, body, isZipped, ...rest }) => ({
      ...rest,
      headers: {
        ...other,
        ...(type === '' ? {} : { 'content-type': type }),
        ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
      },
      body: isZipped ? gzipSync(body) : body,
    }));
}
